// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

// DefaultMinIssueInterval is --min-issue-interval where nobody gives another.
const DefaultMinIssueInterval = 10 * time.Minute

// ExplainOptions are the flags of the operator that a decision turns on. Nobody but the operator knows them.
type ExplainOptions struct {
	MinIssueInterval      time.Duration
	AllowInsecureTLS      bool
	CrossNamespaceOutputs bool
}

// Explanation is what a pass over a ClusterCredential would decide, and everything that feeds that. It holds no key.
type Explanation struct {
	// Credential is the object as it was read.
	Credential *v1alpha1.ClusterCredential
	// Wanted and Found are what Decision was made from.
	Wanted   rotation.Wanted
	Found    rotation.Found
	Decision rotation.Decision
	Account  ExplainedAccount
	Secret   ExplainedSecret
	// Unseen says what could not be looked at, in sentences.
	Unseen []string
}

// ExplainedAccount is the account as a pass sees it.
type ExplainedAccount struct {
	Kind v1alpha1.AccountKind
	Name string
	// Reason and Message say why it cannot be used; empty: it can.
	Reason  v1alpha1.Reason
	Message string
	// Unread is true where that is because its key could not be read from here: the operator may well be able to.
	Unread bool
	// Ready is its condition; nil: it has none, or there is no account.
	Ready *metav1.Condition
}

// ExplainedSecret is the Secret of the first output as a pass sees it.
type ExplainedSecret struct {
	Name types.NamespacedName
	// Exists is false where there is none under that name.
	Exists   bool
	Standing target.Standing
	// Certificate is what is in it; nil: nothing readable that is ours.
	Certificate *v1alpha1.Certificate
	// FilledFrom is another Secret of ours that the credential would be taken from; empty: none.
	FilledFrom string
}

// explainTries is how often an object is read anew that changes while it is looked at.
const explainTries = 3

// Explain observes a ClusterCredential as a pass does and decides as a pass does, and changes nothing. It starts from what the API
// server shows: what only the running operator knows (the cloud's lists, what came of its tries, certificates that wait in its
// memory, the line of the account) is not in it.
func Explain(
	ctx context.Context, reader client.Client, name types.NamespacedName, options ExplainOptions, now time.Time,
) (*Explanation, error) {
	for range explainTries {
		explanation, err := explainOnce(ctx, reader, name, options, now)
		if !errors.Is(err, errOvertaken) {
			return explanation, err
		}
	}
	return nil, fmt.Errorf("ClusterCredential %s changes all the time; try again", name)
}

func explainOnce(
	ctx context.Context, reader client.Client, name types.NamespacedName, options ExplainOptions, now time.Time,
) (*Explanation, error) {
	cc := &v1alpha1.ClusterCredential{}
	if err := reader.Get(ctx, name, cc); err != nil {
		return nil, fmt.Errorf("read ClusterCredential %s: %w", name, err)
	}
	shown := newExplainView(reader, cc)
	r := NewCredentialReconciler(Config{
		Client: shown, Live: shown.Client, Keys: liveKeys{shown}, Clock: clock.RealClock{}, Class: shown.class,
		AllowInsecureTLS: options.AllowInsecureTLS, CrossNamespaceOutputs: options.CrossNamespaceOutputs,
		MinIssueInterval: options.MinIssueInterval,
	})
	p, err := r.observe(ctx, cc, now)
	if err != nil {
		return nil, err
	}
	return &Explanation{
		Credential: cc, Wanted: p.wanted, Found: p.found, Decision: rotation.Decide(now, p.wanted, p.found),
		Account: explainedAccount(p), Secret: explainedSecret(p), Unseen: shown.unseen,
	}, nil
}

func explainedAccount(p *pass) ExplainedAccount {
	name := accountName(p.cc)
	explained := ExplainedAccount{
		Kind: kindOf(name), Name: name.Name,
		Reason: p.account.reason, Message: p.account.message, Unread: p.account.unread,
	}
	if p.account.object != nil {
		explained.Ready = meta.FindStatusCondition(p.account.object.status.Conditions, v1alpha1.ConditionReady)
	}
	return explained
}

func explainedSecret(p *pass) ExplainedSecret {
	explained := ExplainedSecret{Name: p.key, Exists: p.facts.version != "", Standing: p.facts.standing}
	if stored := p.stored(); stored != nil {
		explained.Certificate = &stored.certificate
	}
	if p.fill != nil {
		explained.FilledFrom = client.ObjectKeyFromObject(p.fill.live).String()
	}
	return explained
}

// PrimaryOutput is the first output of an object with its defaults filled in, and its Secret.
func PrimaryOutput(cc *v1alpha1.ClusterCredential) (v1alpha1.Output, types.NamespacedName) {
	primary := slotsOf(cc)[0]
	return primary.output, primary.key
}
