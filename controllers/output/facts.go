// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Facts are what outputs say of a cluster and of its ClusterCredential besides the credential itself. What is not known is
// empty. Name and Namespace make the default of clusterName; the rest is for templates.
type Facts struct {
	// ClusterID is the cloud's id of the cluster.
	ClusterID string
	// ProjectID and Region are where the cluster is in the cloud.
	ProjectID, Region string
	// Access is the way that was chosen: Internal, External or Custom.
	Access string
	// Name and Namespace are those of the ClusterCredential.
	Name, Namespace string
}

// ClusterName is what an output calls the cluster: <namespace>-<name> where it does not say. For ArgoCD <name> will do, since
// all ClusterCredentials beside that Secret are of one namespace; not so in another namespace, where those of several may meet.
func (f Facts) ClusterName(o v1alpha1.Output) string {
	if o.Format == v1alpha1.FormatArgoCD && cmp.Or(o.Namespace, f.Namespace) == f.Namespace {
		return cmp.Or(o.ClusterName, f.Name)
	}
	return cmp.Or(o.ClusterName, f.Namespace+"-"+f.Name)
}
