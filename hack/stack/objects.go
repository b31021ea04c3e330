// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Names of the objects below.
const (
	AccountName   = "huawei-prod"
	KeySecretName = "huawei-keys"
)

// NoLimit is a number of certificates a minute that no test reaches.
const NoLimit = 1_000_000

// Client returns a client for Secrets, Namespaces and our kinds, as the administrator and without a limit.
func (s *Stack) Client() (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(s.Kube.Config(), client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// Account is a namespace with an account of the cloud and its key, in the order in which to create them.
func Account(namespace string, issuesPerMinute int32) []client.Object {
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: KeySecretName},
			StringData: map[string]string{v1alpha1.KeyAccessKey: AccessKey, v1alpha1.KeySecretKey: SecretKey},
		},
		&v1alpha1.CloudAccount{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: AccountName},
			Spec: v1alpha1.CloudAccountSpec{
				Region: Region, ProjectID: ProjectID,
				Auth:   v1alpha1.Auth{AccessKey: &v1alpha1.SecretKeySource{SecretRef: v1alpha1.SecretReference{Name: KeySecretName}}},
				Limits: &v1alpha1.Limits{IssuesPerMinute: &issuesPerMinute},
			},
		},
	}
}

// Credential is a ClusterCredential of the cluster with this name, by its id, with everything else unset: its Secret is
// <name>-kubeconfig.
func Credential(namespace, name, cluster string) *v1alpha1.ClusterCredential {
	return &v1alpha1.ClusterCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ClusterCredentialSpec{
			AccountRef: v1alpha1.AccountReference{Name: AccountName},
			Cluster:    v1alpha1.ClusterReference{ID: ClusterID(cluster)},
		},
	}
}
