// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
)

// ReasonOf is the reason for an error of the cloud.
func ReasonOf(kind issuer.Kind) v1alpha1.Reason {
	switch kind {
	case issuer.Throttled:
		return v1alpha1.ReasonThrottled
	case issuer.Unauthorized:
		return v1alpha1.ReasonUnauthorized
	case issuer.Forbidden:
		return v1alpha1.ReasonForbidden
	case issuer.NotFound:
		return v1alpha1.ReasonClusterNotFound
	case issuer.Ambiguous:
		return v1alpha1.ReasonClusterAmbiguous
	case issuer.NotAvailable:
		return v1alpha1.ReasonClusterNotAvailable
	case issuer.Rejected:
		return v1alpha1.ReasonRejected
	case issuer.InvalidResponse:
		return v1alpha1.ReasonInvalidResponse
	default:
		return v1alpha1.ReasonUnavailable
	}
}
