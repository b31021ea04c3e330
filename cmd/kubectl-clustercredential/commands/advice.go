// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"errors"
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// advice says an error with what to do about it.
func advice(err error) string {
	var status apierrors.APIStatus
	isStatus := errors.As(err, &status)
	switch {
	case isEmptyConfig(err):
		return err.Error() + "\nGive the kubeconfig of the hub with --kubeconfig or KUBECONFIG."
	case !isStatus:
		return err.Error()
	case apierrors.IsUnauthorized(err):
		return "the hub does not accept this login (401 Unauthorized). Log in again, or give another --context."
	case apierrors.IsForbidden(err):
		return status.Status().Message + hint(status.Status())
	case apierrors.IsNotFound(err):
		return notFound(err, status.Status())
	}
	return err.Error()
}

// isEmptyConfig looks below what was said around it, which clientcmd does not.
func isEmptyConfig(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if clientcmd.IsEmptyConfig(err) {
			return true
		}
	}
	return false
}

// saysVerb finds the verb in an API server's refusal.
var saysVerb = regexp.MustCompile(`cannot (\w+) resource`)

// hint names the ClusterRole that grants what was refused.
func hint(refusal metav1.Status) string {
	verb, resource := "", ""
	if found := saysVerb.FindStringSubmatch(refusal.Message); found != nil {
		verb = found[1]
	}
	if refusal.Details != nil {
		resource = refusal.Details.Kind
	}
	role := ""
	switch {
	case resource == "secrets":
		role = "edit (Kubernetes' own), or a Role that lets Secrets be read"
	case resource == "namespaces":
		role = "a ClusterRole that lets namespaces be read"
	case resource == "clustercloudaccounts":
		role = "clustercredential-operator-viewer, for the whole hub (a ClusterRoleBinding)"
	case verb == "get" || verb == "list":
		role = "clustercredential-operator-viewer"
	case verb == "patch":
		role = "clustercredential-operator-editor"
	default:
		return "\nSee the table of rights in docs/kubectl.md."
	}
	return fmt.Sprintf("\nThe verb %q on %s is granted by %s; see the table of rights in docs/kubectl.md.", verb, resource, role)
}

func notFound(err error, answer metav1.Status) string {
	details := answer.Details
	if details == nil || details.Name == "" {
		return "this API server does not know ClusterCredentials: it is not the hub (--context), or the CustomResourceDefinitions are not installed there"
	}
	if details.Kind == "clustercredentials" {
		return err.Error() + "\nGive its namespace with -n; \"kubectl clustercredential list -A\" shows those of all namespaces."
	}
	return err.Error()
}
