// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/rotation"
	"github.com/clustercredential/operator/controllers/target"
)

// secretFacts is what is known of the primary Secret, without its key: small enough
// to remember for every object, so that a look at rest reads nothing.
type secretFacts struct {
	// version is the resourceVersion; empty: there is no Secret.
	version  string
	kind     corev1.SecretType
	standing target.Standing
	marks    target.Marks
	// stored is the credential in it; nil: nothing readable.
	stored *storedFacts
	// carriedFor is what the Secret was found to carry everything for; see pass.purpose.
	carriedFor string
}

// settle shares the words of the facts with others.
func (f *secretFacts) settle() {
	shared.settle(&f.marks)
	if f.stored != nil {
		shared.settle(&f.stored.certificate)
		f.stored.way.server = shared.same(f.stored.way.server)
	}
}

// storedFacts describes a stored credential.
type storedFacts struct {
	certificate v1alpha1.Certificate
	way         way
	// chained is true when the certificate was signed by the stored CA.
	chained bool
}

func (s *storedFacts) validity() rotation.Validity {
	c := s.certificate
	return rotation.Validity{NotBefore: c.NotBefore.Time, NotAfter: c.NotAfter.Time, Serial: c.SerialNumber}
}

// secretView is the Secret itself, as it was just read.
type secretView struct {
	live       *corev1.Secret         // nil: there is no Secret
	credential *kubeconfig.Credential // nil: nothing readable
	adoption   *adoption              // nil: there is nothing to adopt
	facts      secretFacts
	// holder is who has a Secret that is another's; empty: whom its marks name.
	holder types.NamespacedName
}

// secretVersion is the resourceVersion that the watch shows; empty: it shows no Secret
// of ours under that name.
func (r *CredentialReconciler) secretVersion(ctx context.Context, key types.NamespacedName) (string, error) {
	shown, err := r.shownSecret(ctx, key)
	if err != nil || shown == nil {
		return "", err
	}
	return shown.ResourceVersion, nil
}

// shownSecret is what the watch shows of a Secret; nil: it shows none of ours under that name.
func (r *CredentialReconciler) shownSecret(ctx context.Context, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	shown := &metav1.PartialObjectMetadata{}
	shown.SetGroupVersionKind(secretKind)
	if err := r.Client.Get(ctx, key, shown); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("look up Secret %s: %w", key, err)
	}
	return shown, nil
}

var secretKind = corev1.SchemeGroupVersion.WithKind("Secret")

// look reads the Secret of an output at the API server, and what it holds.
func (r *CredentialReconciler) look(ctx context.Context, p *pass, s slot) (secretView, error) {
	live, err := r.secrets.Read(ctx, s.key)
	if err != nil || live == nil {
		return secretView{}, err
	}
	published := ""
	if p.cc.Status.Certificate != nil {
		published = p.cc.Status.Certificate.FingerprintSHA256
	}
	view := secretView{live: live}
	view.facts.version, view.facts.kind = live.ResourceVersion, live.Type
	view.facts.marks = target.MarksOf(live)
	view.facts.standing = target.StandingOf(live, client.ObjectKeyFromObject(p.cc), "", "")
	if err := r.takeOver(ctx, p, s, &view); err != nil {
		return secretView{}, err
	}
	known := append(fingerprintsOf(p.cc), published)
	switch {
	case !s.isAway():
		known = append(known, view.facts.marks.Fingerprint)
	case view.facts.standing == target.Others:
		return view, nil // what it holds is none of our business
	default: // its marks are in the hands of others
		known = append(known, p.facts.marks.Fingerprint)
	}
	view.credential = readCredential(live, p, s, known...)
	holds := ""
	if c := view.credential; c != nil {
		holds = c.Fingerprint
		view.facts.stored = factsOf(*c)
	}
	if identity, found := output.IdentityIn(live.Data, s.output); found && holds == "" {
		holds = identity.Fingerprint
	}
	if view.facts.standing == target.Foreign {
		view.facts.standing = target.StandingOf(live, client.ObjectKeyFromObject(p.cc), holds, published)
	}
	view.adoption = p.adoptionOf(s, view)
	return view, nil
}

// fingerprintsOf are those of the certificates in the history.
func fingerprintsOf(cc *v1alpha1.ClusterCredential) []string {
	all := make([]string, 0, len(cc.Status.History)+2) // and those of marks and of status
	for _, entry := range cc.Status.History {
		all = append(all, entry.FingerprintSHA256)
	}
	return all
}

// readCredential takes the credential out of a Secret: where the spec says it is, if it
// is one that we published, or,
// where the spec has moved on or somebody edited the kubeconfig, wherever the very
// certificate that we published still is.
func readCredential(live *corev1.Secret, p *pass, s slot, known ...string) *kubeconfig.Credential {
	known = slices.DeleteFunc(known, func(fingerprint string) bool { return fingerprint == "" })
	isKnown := func(c kubeconfig.Credential) bool { return slices.Contains(known, c.Fingerprint) }
	if c, err := output.Read(live.Data, s.output, p.outputFacts()); err == nil && (isKnown(c) || len(known) == 0 && !s.isAway()) {
		return &c
	}
	if c, found := output.Recover(live.Data); found && isKnown(c) {
		return &c
	}
	for _, data := range live.Data {
		if c, err := salvage(data, p); err == nil && isKnown(c) {
			return &c
		}
	}
	return nil
}

// readOutput is the credential in the Secret of a whole format, as it stands there.
func readOutput(live *corev1.Secret, s slot) (kubeconfig.Credential, error) {
	if c, found := output.Recover(live.Data); found {
		return c, nil
	}
	return output.Read(live.Data, s.output, output.Facts{})
}

// salvage reads a kubeconfig that is not exactly what we write, as if it came from the cloud.
func salvage(data []byte, p *pass) (kubeconfig.Credential, error) {
	answer, err := kubeconfig.Parse(data, p.now)
	if err != nil {
		return kubeconfig.Credential{}, err
	}
	context, _, err := kubeconfig.Choose(answer.Contexts, kubeconfig.Wish{Context: answer.Contexts[0].Name})
	if err != nil {
		return kubeconfig.Credential{}, err
	}
	return kubeconfig.Credential{Endpoint: kubeconfig.Endpoint{Server: context.Server, CAPEM: context.CAPEM}, Identity: answer.Identity}, nil
}

func factsOf(c kubeconfig.Credential) *storedFacts {
	return factsWith(c, kubeconfig.ChainsTo(c.Identity, c.CAPEM))
}

func factsWith(c kubeconfig.Credential, chained bool) *storedFacts {
	return &storedFacts{certificate: describeCertificate(c.Identity), way: wayOf(c), chained: chained}
}

// factsFor are the facts of a credential. Most often it is the one that was read or was just accepted, and no signature has to be
// verified anew.
func (p *pass) factsFor(c kubeconfig.Credential) *storedFacts {
	switch {
	case p.view.credential != nil && p.view.facts.stored != nil && sameCertificates(*p.view.credential, c):
		return factsWith(c, p.view.facts.stored.chained)
	case p.fresh != nil && p.fresh.chains && sameCertificates(p.fresh.credential, c):
		return factsWith(c, true)
	}
	return factsOf(c)
}

func sameCertificates(a, b kubeconfig.Credential) bool {
	return bytes.Equal(a.CertPEM, b.CertPEM) && bytes.Equal(a.CAPEM, b.CAPEM)
}

func wayOf(c kubeconfig.Credential) way {
	return way{server: c.Server, tlsServerName: c.TLSServerName, proxyURL: c.ProxyURL, insecure: c.Insecure}
}

// describeCertificate says of a certificate what status says of it.
func describeCertificate(id kubeconfig.Identity) v1alpha1.Certificate {
	return v1alpha1.Certificate{
		SerialNumber:      id.SerialNumber,
		FingerprintSHA256: id.Fingerprint,
		CommonName:        id.CommonName,
		NotBefore:         metav1.NewTime(id.NotBefore),
		NotAfter:          metav1.NewTime(id.NotAfter),
	}
}
