// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/keyring"
)

// account is an account as a pass sees it: usable, or with the reason why not.
type account struct {
	// object is the CloudAccount; nil: it does not exist.
	object *v1alpha1.CloudAccount
	// access reaches the cloud; usable only when reason is empty.
	access issuer.Access
	// budget is the account's side of the budget.
	budget budget.Account
	// version changes with the account's spec and with its key.
	version string
	// reason and message say why the account cannot be used; empty: it can.
	reason  v1alpha1.Reason
	message string
	// unread is true where that is because the API server does not show the key: nobody
	// else has to act, and whatever needs no key goes on.
	unread bool
}

// accountOf reads the account that an object refers to.
func (c *Config) accountOf(ctx context.Context, name types.NamespacedName) (account, error) {
	object := &v1alpha1.CloudAccount{}
	if err := c.Client.Get(ctx, name, object); err != nil {
		if !apierrors.IsNotFound(err) {
			return account{}, fmt.Errorf("read CloudAccount %s: %w", name, err)
		}
		c.Keys.Drop(name) // a pass that began while it was there may have asked for its key since
		return account{
			reason:  v1alpha1.ReasonAccountNotFound,
			message: fmt.Sprintf("spec.accountRef: there is no CloudAccount %q in namespace %q; create it", name.Name, name.Namespace),
		}, nil
	}
	return c.unlock(ctx, object)
}

// unlock reads the key of an account.
func (c *Config) unlock(ctx context.Context, object *v1alpha1.CloudAccount) (account, error) {
	name := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	a := account{object: object, version: fmt.Sprintf("%s/%d", object.UID, object.Generation)}
	a.access = issuer.Access{Region: object.Spec.Region}
	secretName, isToken := secretOf(object.Spec.Auth)
	secret, err := c.Keys.Get(ctx, name, types.NamespacedName{Namespace: object.Namespace, Name: secretName})
	unread, isUnread := errors.AsType[*keyring.Unread](err)
	switch {
	case isUnread:
		a.reason, a.unread = v1alpha1.ReasonCredentialsMissing, true
		a.message = fmt.Sprintf("Secret %q, which CloudAccount %q names, could not be read: %s", secretName, object.Name, unread.Why)
	case errors.Is(err, keyring.ErrMissing):
		a.reason = v1alpha1.ReasonCredentialsMissing
		a.message = fmt.Sprintf("Secret %q, which CloudAccount %q names, does not exist; create it with the keys %s", secretName, object.Name, wantedKeys(isToken))
	case err != nil:
		return account{}, err
	default:
		a.version += "/" + secret.Version
		a.access.Key, a.message = keyOf(secret.Data, isToken)
		if a.message != "" {
			a.reason = v1alpha1.ReasonCredentialsMissing
			a.message = fmt.Sprintf("Secret %q, which CloudAccount %q names: %s", secretName, object.Name, a.message)
		}
	}
	a.access.ProjectID = projectOf(object, a.version)
	if a.reason == "" && object.Spec.Suspend {
		a.reason = v1alpha1.ReasonAccountSuspended
		a.message = fmt.Sprintf("spec.suspend of CloudAccount %q is true: no call is made with its key; set it to false to go on", object.Name)
	}
	a.budget = c.budgetOf(a, name)
	return a, nil
}

// budgetOf names the key in the budget: the cloud counts by key, not by our objects.
func (c *Config) budgetOf(a account, name types.NamespacedName) budget.Account {
	place := c.Endpoint
	if place == "" {
		place = a.access.Region
	}
	key := a.access.Key.ID
	if key == "" {
		key = "token of " + name.String()
	}
	limit := v1alpha1.DefaultIssuesPerMinute
	if limits := a.object.Spec.Limits; limits != nil && limits.IssuesPerMinute != nil {
		limit = int(*limits.IssuesPerMinute)
	}
	k := a.access.Key
	secret := digest(string(k.Secret), string(k.SecurityToken), string(k.Token))
	return budget.Account{Key: place + " " + key, Name: name.String(), Version: secret, State: a.version, PerMinute: limit}
}

// projectOf is the project that is given, or that was looked up with this very spec and
// key: another region has another one, and so may another key. Empty: not known yet.
func projectOf(object *v1alpha1.CloudAccount, version string) string {
	if object.Spec.ProjectID != "" {
		return object.Spec.ProjectID
	}
	if object.Status.CheckedWith == digest(version) {
		return object.Status.ProjectID
	}
	return ""
}

func secretOf(auth v1alpha1.Auth) (name string, isToken bool) {
	if auth.Token != nil {
		return auth.Token.SecretRef.Name, true
	}
	if auth.AccessKey != nil {
		return auth.AccessKey.SecretRef.Name, false
	}
	return "", false
}

func wantedKeys(isToken bool) string {
	if isToken {
		return v1alpha1.KeyToken
	}
	return v1alpha1.KeyAccessKey + " and " + v1alpha1.KeySecretKey
}

// keyOf takes the key out of a Secret, or says what is missing.
func keyOf(data map[string][]byte, isToken bool) (issuer.Key, string) {
	wanted := []string{v1alpha1.KeyAccessKey, v1alpha1.KeySecretKey}
	if isToken {
		wanted = []string{v1alpha1.KeyToken}
	}
	for _, name := range wanted {
		if len(bytes.TrimSpace(data[name])) == 0 {
			return issuer.Key{}, fmt.Sprintf("key %q is missing or empty; it needs %s", name, wantedKeys(isToken))
		}
	}
	// Files that people make Secrets of often end in a newline, which no key has.
	value := func(name string) []byte { return bytes.TrimSpace(data[name]) }
	if isToken {
		return issuer.Key{Token: value(v1alpha1.KeyToken)}, ""
	}
	return issuer.Key{
		ID:            string(value(v1alpha1.KeyAccessKey)),
		Secret:        value(v1alpha1.KeySecretKey),
		SecurityToken: value(v1alpha1.KeySecurityToken),
	}, ""
}

// sameIdentity says whether two accounts use the very same access key.
func sameIdentity(a, b account) bool {
	return a.access.Key.ID != "" && a.access.Key.ID == b.access.Key.ID
}

// digest is a short name for what an attempt is made with. It goes to status, so it
// says nothing of the parts.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// inFlightLimit is how many calls of one account are under way at most: never more
// than a quarter of the workers, so that a cloud that hangs leaves the others room.
func inFlightLimit(workers int) int { return max(1, min(4, workers/4)) }

// NewBudget returns the budget of a process that leads since started.
func NewBudget(started time.Time, workers int) *budget.Budget {
	return budget.New(started, inFlightLimit(workers))
}
