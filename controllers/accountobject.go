// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
)

// accountObject is a CloudAccount or a ClusterCloudAccount, as far as the two are alike. An account is named by namespace and
// name; without a namespace it is a ClusterCloudAccount.
type accountObject struct {
	client.Object
	kind      v1alpha1.AccountKind
	region    string
	projectID string
	suspend   bool
	limits    *v1alpha1.Limits
	status    v1alpha1.CloudAccountStatus
	auth      accountAuth
	endpoints issuer.Endpoints
	// grants are those of a ClusterCloudAccount.
	grants []v1alpha1.AccountGrant
}

// accountAuth is the Secret that holds the key, or how the operator obtains one.
type accountAuth struct {
	secret  types.NamespacedName
	isToken bool
	keyless issuer.Keyless
}

// String names it in messages.
func (o *accountObject) String() string { return fmt.Sprintf("%s %q", o.kind, o.GetName()) }

// key names it.
func (o *accountObject) key() types.NamespacedName { return client.ObjectKeyFromObject(o.Object) }

// kindOf is the kind of the account of that name.
func kindOf(name types.NamespacedName) v1alpha1.AccountKind {
	if name.Namespace == "" {
		return v1alpha1.KindClusterCloudAccount
	}
	return v1alpha1.KindCloudAccount
}

// accountName names the account that a ClusterCredential refers to.
func accountName(cc *v1alpha1.ClusterCredential) types.NamespacedName {
	return namedAccount(cc.Namespace, cc.Spec.AccountRef)
}

func namedAccount(namespace string, ref v1alpha1.AccountReference) types.NamespacedName {
	if ref.Kind == v1alpha1.KindClusterCloudAccount {
		namespace = ""
	}
	return types.NamespacedName{Namespace: namespace, Name: ref.Name}
}

// readAccount reads an account from the cache.
func (c *Config) readAccount(ctx context.Context, name types.NamespacedName) (*accountObject, error) {
	if name.Namespace == "" {
		object := &v1alpha1.ClusterCloudAccount{}
		if err := c.Client.Get(ctx, name, object); err != nil {
			return nil, err
		}
		return lentAccount(object), nil
	}
	object := &v1alpha1.CloudAccount{}
	if err := c.Client.Get(ctx, name, object); err != nil {
		return nil, err
	}
	return ownAccount(object), nil
}

func ownAccount(object *v1alpha1.CloudAccount) *accountObject {
	spec := object.Spec
	o := &accountObject{
		Object: object, kind: v1alpha1.KindCloudAccount, region: spec.Region, projectID: spec.ProjectID, suspend: spec.Suspend,
		limits: spec.Limits, status: object.Status,
	}
	source := spec.Auth.AccessKey
	if spec.Auth.Token != nil {
		source, o.auth.isToken = spec.Auth.Token, true
	}
	if source != nil {
		o.auth.secret = types.NamespacedName{Namespace: object.Namespace, Name: source.SecretRef.Name}
	}
	return o
}

func lentAccount(object *v1alpha1.ClusterCloudAccount) *accountObject {
	spec := object.Spec
	o := &accountObject{
		Object: object, kind: v1alpha1.KindClusterCloudAccount, region: spec.Region, projectID: spec.ProjectID, suspend: spec.Suspend,
		limits: spec.Limits, status: object.Status, grants: spec.Grants,
	}
	if e := spec.Endpoints; e != nil {
		o.endpoints = issuer.Endpoints{CCE: plainly(e.CCE), IAM: plainly(e.IAM), CAPEM: string(e.CABundle)}
	}
	source := spec.Auth.AccessKey
	switch auth := spec.Auth; {
	case auth.Token != nil:
		source, o.auth.isToken = auth.Token, true
	case auth.PodIdentity != nil:
		o.auth.keyless.Method = issuer.PodIdentity
	case auth.InstanceMetadata != nil:
		o.auth.keyless.Method = issuer.InstanceMetadata
	case auth.OIDC != nil:
		o.auth.keyless = issuer.Keyless{Method: issuer.OIDC, IdpID: auth.OIDC.IdpID, TokenFile: auth.OIDC.TokenFile}
	}
	if source != nil {
		o.auth.secret = types.NamespacedName{Namespace: source.SecretRef.Namespace, Name: source.SecretRef.Name}
	}
	return o
}

// plainly is the one spelling of an address that has several, so that one key in one place is known as one.
func plainly(endpoint string) string {
	plain := strings.TrimRight(strings.ToLower(endpoint), "/")
	if strings.HasPrefix(plain, "https://") {
		plain = strings.TrimSuffix(plain, ":443")
	}
	return plain
}

// withStatus is the object with another status, to be written.
func (o *accountObject) withStatus(next v1alpha1.CloudAccountStatus) client.Object {
	switch object := o.DeepCopyObject().(type) {
	case *v1alpha1.CloudAccount:
		object.Status = next
		return object
	case *v1alpha1.ClusterCloudAccount:
		object.Status = next
		return object
	default:
		panic(fmt.Sprintf("%T is no account", object))
	}
}
