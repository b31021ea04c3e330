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
	// object is the account; nil: it does not exist.
	object *accountObject
	// granted are the grants of a ClusterCloudAccount for the namespace of the ClusterCredential.
	granted []v1alpha1.AccountGrant
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

// accountOf reads the account that an object of a namespace refers to.
func (c *Config) accountOf(ctx context.Context, name types.NamespacedName) (account, error) {
	object, err := c.readAccount(ctx, name)
	if err != nil {
		if !apierrors.IsNotFound(err) {
			return account{}, fmt.Errorf("read %s %s: %w", kindOf(name), name, err)
		}
		c.Keys.Drop(name) // a pass that began while it was there may have asked for its key since
		return account{reason: v1alpha1.ReasonAccountNotFound, message: c.noAccount(name)}, nil
	}
	return c.unlock(ctx, object)
}

// noAccount says that the cache shows no such account. There may be one of another class.
func (c *Config) noAccount(name types.NamespacedName) string {
	where := ""
	if name.Namespace != "" {
		where = fmt.Sprintf(" in namespace %q", name.Namespace)
	}
	if c.Class != "" {
		return fmt.Sprintf("spec.accountRef: there is no %s %q of class %q%s; create it, or if it is there, label it %s=%s",
			kindOf(name), name.Name, c.Class, where, v1alpha1.LabelClass, c.Class)
	}
	return fmt.Sprintf("spec.accountRef: there is no %s %q%s; create it, or if it is there, take off its label %s",
		kindOf(name), name.Name, where, v1alpha1.LabelClass)
}

// unlock reads the key of an account.
func (c *Config) unlock(ctx context.Context, object *accountObject) (account, error) {
	a := account{object: object, version: versionOf(object)}
	a.access = issuer.Access{Region: object.region, Endpoints: object.endpoints}
	if object.auth.keyless.Method != "" {
		a.access.Key.Keyless = object.auth.keyless
		c.Keys.Drop(object.key()) // it may have had one
	} else if err := c.readKey(ctx, &a); err != nil {
		return account{}, err
	}
	a.access.ProjectID = projectOf(object, a.version)
	if a.reason == "" && object.suspend {
		a.reason = v1alpha1.ReasonAccountSuspended
		a.message = fmt.Sprintf("spec.suspend of %s is true: no call is made with its key; set it to false to go on", object)
	}
	a.budget = c.budgetOf(a)
	return a, nil
}

// readKey takes the key out of the Secret that an account names, or says why it cannot.
func (c *Config) readKey(ctx context.Context, a *account) error {
	object, named := a.object, a.object.auth.secret
	text := fmt.Sprintf("Secret %q", named.Name)
	if object.kind == v1alpha1.KindClusterCloudAccount {
		text = fmt.Sprintf("Secret %q", named.String())
	}
	secret, err := c.Keys.Get(ctx, object.key(), named)
	unread, isUnread := errors.AsType[*keyring.Unread](err)
	switch {
	case isUnread:
		a.reason, a.unread = v1alpha1.ReasonCredentialsMissing, true
		a.message = fmt.Sprintf("%s, which %s names, could not be read: %s", text, object, unread.Why)
	case errors.Is(err, keyring.ErrMissing):
		a.reason = v1alpha1.ReasonCredentialsMissing
		a.message = fmt.Sprintf("%s, which %s names, does not exist; create it with the keys %s", text, object, wantedKeys(object.auth.isToken))
	case err != nil:
		return err
	default:
		a.version += "/" + secret.Version
		a.access.Key, a.message = keyOf(secret.Data, object.auth.isToken)
		if a.message != "" {
			a.reason = v1alpha1.ReasonCredentialsMissing
			a.message = fmt.Sprintf("%s, which %s names: %s", text, object, a.message)
		}
	}
	return nil
}

// budgetOf names the key in the budget: the cloud counts by key, not by our objects.
func (c *Config) budgetOf(a account) budget.Account {
	name := a.object.key().String()
	k := a.access.Key
	// Whoever writes a Secret can write another's id into it, but not its secret: that would slow the other down.
	key := "access key " + k.ID + " " + digest(string(k.Secret))
	switch {
	case k.Keyless.Method != "":
		key = "of the operator, " + k.Name()
	case k.ID == "":
		key = "token of " + name
	}
	limit := v1alpha1.DefaultIssuesPerMinute
	if limits := a.object.limits; limits != nil && limits.IssuesPerMinute != nil {
		limit = int(*limits.IssuesPerMinute)
	}
	place, lock := firstOf(a.access.Endpoints.CCE, plainly(c.Endpoint), a.access.Region), ""
	if k.ID != "" && k.Keyless.Method == "" {
		lock = place + " " + k.ID
	}
	secret := digest(string(k.Secret), string(k.SecurityToken), string(k.Token))
	return budget.Account{
		Key: place + " " + key, Name: name, Version: secret, State: a.version, Lock: lock, PerMinute: limit,
	}
}

// projectOf is the project that is given, or that was looked up with this very spec and
// key: another region has another one, and so may another key. Empty: not known yet.
func projectOf(object *accountObject, version string) string {
	if object.projectID != "" {
		return object.projectID
	}
	if object.status.CheckedWith == digest(version) {
		return object.status.ProjectID
	}
	return ""
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

// sameIdentity says whether two accounts use the very same access key, or the same identity of the operator's, in the same cloud.
func sameIdentity(a, b account) bool {
	name := a.access.Key.Name()
	sameLogin := a.access.Key.Keyless.Method == "" || a.access.Endpoints.IAM == b.access.Endpoints.IAM
	return name != "" && name == b.access.Key.Name() && a.access.Endpoints.CCE == b.access.Endpoints.CCE && sameLogin
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

const (
	// mostPosts is how many certificates of one account are asked for at a time: what a kill can lose.
	mostPosts = 4
	// mostTurns is how many turns of one account are out at a time. Of a turn about half is the API server's, so that there are
	// twice as many as keep mostPosts busy.
	mostTurns = 2 * mostPosts
)

// turnLimit is how many turns of one account are out at most: never more than a quarter of the workers, so that a cloud that hangs
// leaves the others room.
func turnLimit(workers int) int { return max(1, min(mostTurns, workers/4)) }

// NewBudget returns the budget of a process that leads since started.
func NewBudget(started time.Time, workers int) *budget.Budget {
	return budget.New(started, turnLimit(workers))
}
