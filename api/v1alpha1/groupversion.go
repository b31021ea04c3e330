// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is clustercredential.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: "clustercredential.dev", Version: "v1alpha1"}

// AddToScheme makes the kinds of this package known to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ClusterCredential{}, &ClusterCredentialList{},
		&CloudAccount{}, &CloudAccountList{},
		&ClusterCloudAccount{}, &ClusterCloudAccountList{},
		&CredentialGrant{}, &CredentialGrantList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
