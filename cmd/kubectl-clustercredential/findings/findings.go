// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package findings says what of a fleet somebody should know about who answers for its keys.
package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/target"
)

// Weight is how grave a finding is.
type Weight string

// The weights, gravest first. A note is the ordinary course of things.
const (
	Grave   Weight = "grave"
	Warning Weight = "warning"
	Note    Weight = "note"
)

// Weights are all of them, gravest first.
func Weights() []Weight { return []Weight{Grave, Warning, Note} }

// Kind is what was found.
type Kind string

// The kinds.
const (
	// Unknown: an answer was lost, so a certificate may exist whose key nobody is known to hold.
	Unknown Kind = "UnknownOutcome"
	// Insecure: what is published does not verify the server.
	Insecure Kind = "Insecure"
	// InsecureAllowed: the spec allows that, and it is not used.
	InsecureAllowed Kind = "InsecureAllowed"
	// LongLived: a certificate that is valid for longer than it should be.
	LongLived Kind = "LongLived"
	// Discarded: a certificate that was issued and not published is valid.
	Discarded Kind = "Discarded"
	// Orphan: a Secret of ours whose ClusterCredential does not exist.
	Orphan Kind = "Orphan"
	// Released: a Secret that the operator has let go of.
	Released Kind = "Released"
	// Superseded: an earlier certificate that is valid still.
	Superseded Kind = "Superseded"
	// Elsewhere: an output in another namespace.
	Elsewhere Kind = "OtherNamespace"
)

// Finding is one thing that was found.
type Finding struct {
	Weight    Weight     `json:"weight"`
	Kind      Kind       `json:"kind"`
	Namespace string     `json:"namespace"`
	Object    string     `json:"object"`
	Serial    string     `json:"serialNumber,omitempty"`
	NotAfter  *time.Time `json:"notAfter,omitempty"`
	Message   string     `json:"message"`
}

// Fleet is what is looked at.
type Fleet struct {
	Credentials []v1alpha1.ClusterCredential
	// Secrets are those with the operator's label, by their metadata.
	Secrets []metav1.PartialObjectMetadata
	// Lives says whether a ClusterCredential exists; known is false where nobody can say.
	Lives func(types.NamespacedName) (lives, known bool)
	Now   time.Time
	// LongerThan is what a lifetime should not exceed.
	LongerThan time.Duration
}

// Of lists what is to be said of a fleet, gravest first; unsure what could not be found out.
func Of(f Fleet) (found []Finding, unsure []string) {
	for i := range f.Credentials {
		found = append(found, f.ofCredential(&f.Credentials[i])...)
		if h := f.Credentials[i].Status.History; len(h) >= mostHistory && f.areValid(h) {
			unsure = append(unsure, fmt.Sprintf("earlier certificates of ClusterCredential %s/%s may be valid and have left status.history, which keeps %d",
				f.Credentials[i].Namespace, f.Credentials[i].Name, mostHistory))
		}
	}
	for i := range f.Secrets {
		finding, doubt := f.ofSecret(&f.Secrets[i])
		if finding != nil {
			found = append(found, *finding)
		}
		if doubt != "" {
			unsure = append(unsure, doubt)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Weights(), a.Weight), slices.Index(Weights(), b.Weight)),
			strings.Compare(string(a.Kind), string(b.Kind)),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Object, b.Object),
		)
	})
	return found, unsure
}

// mostHistory is how many entries the operator keeps.
const mostHistory = 10

// areValid says whether no entry has expired: those leave first, so valid ones may have left.
func (f Fleet) areValid(history []v1alpha1.HistoryEntry) bool {
	return !slices.ContainsFunc(history, func(e v1alpha1.HistoryEntry) bool { return e.NotAfter != nil && !e.NotAfter.After(f.Now) })
}

func (f Fleet) ofCredential(cc *v1alpha1.ClusterCredential) []Finding {
	found := f.ofHistory(cc)
	about := func(weight Weight, kind Kind, message string) Finding {
		return Finding{Weight: weight, Kind: kind, Namespace: cc.Namespace, Object: "clustercredential/" + cc.Name, Message: message}
	}
	if c := cc.Status.Certificate; c != nil && c.NotAfter.After(f.Now) {
		if lifetime := c.NotAfter.Sub(c.NotBefore.Time); lifetime > f.LongerThan {
			long := about(Warning, LongLived, fmt.Sprintf(
				"the certificate is valid for %s; one that leaks cannot be revoked alone: ask for less (spec.validity)", days(lifetime)))
			long.Serial, long.NotAfter = c.SerialNumber, &c.NotAfter.Time
			found = append(found, long)
		}
	}
	allowed := cc.Spec.Endpoint != nil && cc.Spec.Endpoint.AllowInsecureTLS
	switch {
	case isInsecure(cc, allowed):
		found = append(found, about(Grave, Insecure, fmt.Sprintf(
			"%s is published without TLS verification: whoever is in between can pose as the cluster", cc.Status.Server)))
	case allowed:
		found = append(found, about(Note, InsecureAllowed,
			"spec.endpoint.allowInsecureTLS is true, and nothing tells that it is needed: take it out"))
	}
	for _, o := range cc.Status.Outputs {
		if o.Namespace != cc.Namespace && o.State != v1alpha1.OutputReleased {
			found = append(found, about(Note, Elsewhere, fmt.Sprintf(
				"Secret %s/%s (%s) is in another namespace: whoever may read Secrets there has this credential", o.Namespace, o.SecretName, o.Format)))
		}
	}
	return found
}

// isInsecure says whether the published server is one that the cloud offers without verification only, whatever spec says by now. A
// server of the spec's own stands for one that is offered: with all of these unverified, and that allowed, it is too.
func isInsecure(cc *v1alpha1.ClusterCredential, allowed bool) bool {
	offered, verified := false, false
	for _, c := range cc.Status.Contexts {
		verified = verified || c.Verified
		if c.Server == cc.Status.Server {
			if c.Verified {
				return false
			}
			offered = true
		}
	}
	return offered || allowed && !verified && len(cc.Status.Contexts) > 0
}

// ofHistory tells of the certificates that are valid and not the published one.
func (f Fleet) ofHistory(cc *v1alpha1.ClusterCredential) []Finding {
	var found []Finding
	for _, entry := range cc.Status.History {
		if entry.NotAfter == nil || !entry.NotAfter.After(f.Now) {
			continue
		}
		finding := Finding{
			Namespace: cc.Namespace, Object: "clustercredential/" + cc.Name, Serial: entry.SerialNumber, NotAfter: &entry.NotAfter.Time,
		}
		switch entry.State {
		case v1alpha1.CertificateUnknown:
			finding.Weight, finding.Kind = Grave, Unknown
			finding.Message = fmt.Sprintf("the answer to the request of %s was lost: a certificate and a key may exist that nobody is known to hold, until then at the latest",
				stamp(entry.IssuedAt.Time))
		case v1alpha1.CertificateDiscarded:
			finding.Weight, finding.Kind = Warning, Discarded
			finding.Message = "it was issued and not published, since it was not fit; its key was not kept"
		case v1alpha1.CertificateSuperseded:
			finding.Weight, finding.Kind, finding.Message = f.ofSuperseded(entry)
		default:
			continue
		}
		found = append(found, finding)
	}
	return found
}

func (f Fleet) ofSuperseded(entry v1alpha1.HistoryEntry) (Weight, Kind, string) {
	if lifetime := entry.NotAfter.Sub(entry.IssuedAt.Time); lifetime > f.LongerThan {
		return Warning, LongLived, fmt.Sprintf("it was replaced, and is valid for %s from its day on: whoever has a copy can use it until then", days(lifetime))
	}
	return Note, Superseded, "it was replaced, and whoever has a copy can use it until it expires"
}

// ofSecret tells of a Secret that nobody keeps. A certificate that has expired opens nothing.
func (f Fleet) ofSecret(secret *metav1.PartialObjectMetadata) (found *Finding, doubt string) {
	marks := target.MarksOf(secret)
	if !marks.Managed {
		return nil, ""
	}
	owner := marks.Owner(secret.Namespace)
	finding := &Finding{Weight: Warning, Namespace: secret.Namespace, Object: "secret/" + secret.Name}
	validity := "its certificate has expired, so it can be deleted"
	switch {
	case marks.NotAfter.IsZero():
		validity = "its marks do not say until when its certificate is valid"
	case marks.NotAfter.After(f.Now):
		finding.NotAfter, validity = &marks.NotAfter, "its certificate is valid: delete the Secret if nobody uses it"
	default:
		finding.Weight, finding.NotAfter = Note, &marks.NotAfter
	}
	if marks.ReleasedAt != "" {
		finding.Kind = Released
		finding.Message = fmt.Sprintf("let go of at %s, once of ClusterCredential %s; %s", marks.ReleasedAt, owner, validity)
		return finding, ""
	}
	lives, known := f.Lives(owner)
	switch {
	case !known:
		return nil, fmt.Sprintf("whether ClusterCredential %s of Secret %s/%s exists could not be found out", owner, secret.Namespace, secret.Name)
	case lives:
		return nil, ""
	}
	finding.Kind = Orphan
	finding.Message = fmt.Sprintf("ClusterCredential %s does not exist; %s", owner, validity)
	return finding, ""
}

func days(d time.Duration) string { return fmt.Sprintf("%.0f days", d.Hours()/24) }

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
