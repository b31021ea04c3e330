// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
	"github.com/clustercredential/operator/controllers/kubeconfig"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/target"
)

// credential reads a ClusterCredential.
func (s *session) credential(ctx context.Context, name string) (*v1alpha1.ClusterCredential, error) {
	cc := &v1alpha1.ClusterCredential{}
	if err := s.Get(ctx, s.key(name), cc); err != nil {
		return nil, fmt.Errorf("read ClusterCredential %s: %w", s.key(name), err)
	}
	return cc, nil
}

// handedOut reads a ClusterCredential, and what its Secret holds.
func (h *hub) handedOut(ctx context.Context, name string) (*session, *v1alpha1.ClusterCredential, kubeconfig.Credential, error) {
	s, err := h.connect()
	if err != nil {
		return nil, nil, kubeconfig.Credential{}, err
	}
	cc, err := s.credential(ctx, name)
	if err != nil {
		return nil, nil, kubeconfig.Credential{}, err
	}
	credential, err := s.stored(ctx, cc)
	return s, cc, credential, err
}

// stored reads what the first output's Secret holds, if it is what the operator put there.
func (s *session) stored(ctx context.Context, cc *v1alpha1.ClusterCredential) (kubeconfig.Credential, error) {
	primary, key := controllers.PrimaryOutput(cc)
	secret := &corev1.Secret{}
	switch err := s.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		return kubeconfig.Credential{}, fmt.Errorf("the Secret %s does not exist%s", key, whyNot(cc))
	case err != nil:
		return kubeconfig.Credential{}, fmt.Errorf("read Secret %s: %w", key, err)
	}
	return readStored(cc, primary, secret)
}

// readStored takes the credential out of the Secret. What somebody else put there is not handed out under the operator's name.
func readStored(cc *v1alpha1.ClusterCredential, primary v1alpha1.Output, secret *corev1.Secret) (kubeconfig.Credential, error) {
	name := client.ObjectKeyFromObject(secret)
	credential, err := output.Read(secret.Data, primary, output.Facts{Name: cc.Name, Namespace: cc.Namespace})
	if err != nil {
		recovered, found := output.Recover(secret.Data)
		if !found {
			return kubeconfig.Credential{}, fmt.Errorf("the Secret %s holds no credential: %w%s", name, err, whyNot(cc))
		}
		credential = recovered
	}
	published := ""
	if cc.Status.Certificate != nil {
		published = cc.Status.Certificate.FingerprintSHA256
	}
	standing := target.StandingOf(secret, client.ObjectKeyFromObject(cc), credential.Fingerprint, published)
	if standing == target.Foreign || standing == target.Others {
		return kubeconfig.Credential{}, fmt.Errorf("the Secret %s does not belong to this ClusterCredential: it carries no marks of it%s", name, whyNot(cc))
	}
	known := []string{published, target.MarksOf(secret).Fingerprint}
	for _, entry := range cc.Status.History {
		known = append(known, entry.FingerprintSHA256)
	}
	if !slices.Contains(known, credential.Fingerprint) {
		return kubeconfig.Credential{}, fmt.Errorf("the Secret %s holds another certificate than the operator has published: somebody has edited it", name)
	}
	if !isPublishedServer(cc, credential.Server) {
		return kubeconfig.Credential{}, fmt.Errorf("the Secret %s holds another server than the operator has published: somebody has edited it%s", name, whyNot(cc))
	}
	return credential, nil
}

// isPublishedServer says whether a server is one that the operator publishes; without a word in status nobody can tell.
func isPublishedServer(cc *v1alpha1.ClusterCredential, server string) bool {
	if cc.Status.Server == "" || server == cc.Status.Server || cc.Spec.Endpoint != nil && server == cc.Spec.Endpoint.Server {
		return true
	}
	return slices.ContainsFunc(cc.Status.Contexts, func(c v1alpha1.OfferedContext) bool { return c.Server == server })
}

// whyNot repeats what status says of a credential that is not there.
func whyNot(cc *v1alpha1.ClusterCredential) string {
	if cc.Spec.Suspend {
		return "; spec.suspend is true, so nothing is asked for"
	}
	for _, kind := range []string{v1alpha1.ConditionIssued, v1alpha1.ConditionPublished} {
		if c := condition(cc, kind); c != nil && c.Status != metav1.ConditionTrue {
			return fmt.Sprintf("; %s is %s, %s: %s", kind, c.Status, c.Reason, c.Message)
		}
	}
	if cc.Status.ObservedGeneration < cc.Generation {
		return "; the operator has not looked at this ClusterCredential yet"
	}
	return ""
}
