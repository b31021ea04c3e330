// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// table has a line for each ClusterCredential, and a head.
func (p *play) table(credentials []v1alpha1.ClusterCredential, now time.Time) []string {
	seen := map[string]stack.Probes{}
	for name, prober := range p.probers {
		seen[name] = prober.Seen()
	}
	return render(credentials, seen, now)
}

func render(credentials []v1alpha1.ClusterCredential, seen map[string]stack.Probes, now time.Time) []string {
	var text bytes.Buffer
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "CREDENTIAL\tSERIAL\tREVISION\tEXPIRES IN\tRENEWS IN\tREADY\tLOGINS OK\tFAILED")
	for _, cc := range credentials {
		s := seen[cc.Name]
		failed := len(s.Failures)
		fmt.Fprintf(columns, "%s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\n",
			cc.Name, short(cc), cc.Status.Revision, expires(cc, now), renews(cc, now), ready(cc), s.Attempts-failed, failed)
	}
	_ = columns.Flush() // into memory
	return strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
}

// short is enough of the serial number to tell certificates apart.
func short(cc v1alpha1.ClusterCredential) string {
	const enough = 8
	if cc.Status.Certificate == nil {
		return "-"
	}
	serial := cc.Status.Certificate.SerialNumber
	return serial[:min(enough, len(serial))]
}

func expires(cc v1alpha1.ClusterCredential, now time.Time) string {
	if cc.Status.Certificate == nil {
		return "-"
	}
	return remaining(cc.Status.Certificate.NotAfter.Time, now)
}

func renews(cc v1alpha1.ClusterCredential, now time.Time) string {
	switch {
	case cc.Spec.Renewal != nil && cc.Spec.Renewal.Policy == v1alpha1.RenewalManual:
		return "by hand"
	case cc.Status.RenewalTime == nil:
		return "-"
	default:
		return remaining(cc.Status.RenewalTime.Time, now)
	}
}

// remaining time, in a width that does not jump about.
func remaining(then, now time.Time) string {
	left := max(0, then.Sub(now))
	if days := left.Hours() / 24; days >= 2 {
		return fmt.Sprintf("%3.0fd", days)
	}
	return fmt.Sprintf("%3.0fs", left.Seconds())
}

func ready(cc v1alpha1.ClusterCredential) string {
	condition := meta.FindStatusCondition(cc.Status.Conditions, v1alpha1.ConditionReady)
	if condition == nil {
		return "-"
	}
	return string(condition.Status)
}
