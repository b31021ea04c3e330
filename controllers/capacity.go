// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// renewalsPerMinute is how many certificates a minute keep a fleet as it is: one for each
// credential from the beginning of its certificate to its renewal. First certificates
// are not in it; nor are credentials that nobody renews by time.
func renewalsPerMinute(fleet []v1alpha1.ClusterCredential) float64 {
	sum := 0.0
	for i := range fleet {
		cc := &fleet[i]
		certificate, renewal := cc.Status.Certificate, cc.Status.RenewalTime
		manual := cc.Spec.Renewal != nil && cc.Spec.Renewal.Policy == v1alpha1.RenewalManual
		if certificate == nil || renewal == nil || cc.Spec.Suspend || manual {
			continue
		}
		if cycle := renewal.Sub(certificate.NotBefore.Time); cycle > 0 {
			sum += float64(time.Minute) / float64(cycle)
		}
	}
	return sum
}

// capacityNote says that a fleet cannot be renewed at its account's rate; empty: it can.
func capacityNote(fleet []v1alpha1.ClusterCredential, perMinute int) string {
	needed := renewalsPerMinute(fleet)
	if needed <= float64(perMinute) {
		return ""
	}
	return fmt.Sprintf("; its %d credentials need %.1f certificates a minute, and spec.limits.issuesPerMinute allows %d: certificates will expire; "+
		"ask for a longer validity, raise the limit if the cloud allows it, or spread them over several keys", len(fleet), needed, perMinute)
}
