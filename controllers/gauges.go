// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// objectGauges collects the gauges of all objects.
type objectGauges struct{ metrics *Metrics }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(metricsPrefix+name, help, labels, nil)
}

// descriptions are those of the object gauges.
type descriptions struct {
	notAfter, notBefore, renewal, nextAttempt, condition, info, live, asleep, accountReady, accountSuspended, rateNeeded, rateLimit *prometheus.Desc
}

func describe() descriptions {
	return descriptions{
		notAfter:         gauge("certificate_not_after_timestamp_seconds", "When the published certificate expires.", "namespace", "name"),
		notBefore:        gauge("certificate_not_before_timestamp_seconds", "When the validity of the published certificate began.", "namespace", "name"),
		renewal:          gauge("renewal_timestamp_seconds", "When the next certificate will be asked for.", "namespace", "name"),
		nextAttempt:      gauge("next_attempt_timestamp_seconds", "When a waiting attempt will be made.", "namespace", "name"),
		condition:        gauge("condition", "Conditions of ClusterCredentials; the value is 1 for what holds.", "namespace", "name", "type", "status", "reason"),
		info:             gauge("info", "ClusterCredentials and their accounts; the value is always 1.", append([]string{"namespace", "name"}, accountLabels...)...),
		live:             gauge("live_certificates", "Certificates in the history of a ClusterCredential that have a known serial number and are not expired.", "namespace", "name"),
		asleep:           gauge("cluster_asleep", "Whether the cluster hibernates, as far as the cloud has told: 1 or 0.", "namespace", "name"),
		accountReady:     gauge("account_ready", "Whether the key of an account works: 1 or 0.", accountLabels...),
		accountSuspended: gauge("account_suspended", "Whether spec.suspend of an account is true: 1 or 0.", accountLabels...),
		rateNeeded:       gauge("account_rate_needed", "Certificates a minute that renewals by time of an account's ClusterCredentials need.", keyLabels...),
		rateLimit:        gauge("account_rate_limit", "Certificates a minute that an account allows; of accounts with one key the smallest counts.", keyLabels...),
	}
}

// live is how many certificates are valid still.
func (o objectState) live(now time.Time) int {
	n := 0
	for _, expiry := range o.expiries {
		if expiry.After(now) {
			n++
		}
	}
	return n
}

// Describe implements prometheus.Collector.
func (g objectGauges) Describe(out chan<- *prometheus.Desc) {
	d := describe()
	for _, desc := range []*prometheus.Desc{d.notAfter, d.notBefore, d.renewal, d.nextAttempt, d.condition, d.info, d.live, d.asleep, d.accountReady,
		d.accountSuspended, d.rateNeeded, d.rateLimit} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (g objectGauges) Collect(out chan<- prometheus.Metric) {
	d := describe()
	g.metrics.mu.Lock()
	defer g.metrics.mu.Unlock()
	value := func(desc *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	stamp := func(desc *prometheus.Desc, at time.Time, labels ...string) {
		if !at.IsZero() {
			value(desc, float64(at.Unix()), labels...)
		}
	}
	for name, o := range g.metrics.objects {
		stamp(d.notAfter, o.notAfter, name.Namespace, name.Name)
		stamp(d.notBefore, o.notBefore, name.Namespace, name.Name)
		stamp(d.renewal, o.renewal, name.Namespace, name.Name)
		stamp(d.nextAttempt, o.nextAttempt, name.Namespace, name.Name)
		value(d.live, float64(o.live(time.Now())), name.Namespace, name.Name)
		value(d.asleep, oneIf(o.asleep), name.Namespace, name.Name)
		value(d.info, 1, name.Namespace, name.Name, string(kindOf(o.account)), o.account.Namespace, o.account.Name)
		for _, c := range o.conditions {
			value(d.condition, 1, name.Namespace, name.Name, c.kind, c.status, c.reason)
		}
	}
	for name, a := range g.metrics.accounts {
		value(d.accountReady, oneIf(a.ready), labelsOf(name)...)
		value(d.accountSuspended, oneIf(a.suspended), labelsOf(name)...)
		value(d.rateNeeded, a.needed, append(labelsOf(name), a.key)...)
		value(d.rateLimit, float64(a.limit), append(labelsOf(name), a.key)...)
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
