// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"
	"unique"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"
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
		if expiry > now.Unix() {
			n++
		}
	}
	return n
}

// sample is a value of one gauge of one object. There are ten times as many as objects, all at once whenever somebody asks, so
// those of an object share what names it.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // by name
	value  float64
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label, out.Gauge = s.labels, &dto.Gauge{Value: &s.value}
	return nil
}

// pairs are labels, which are given by name: a name and a value each.
func pairs(labels ...string) []*dto.LabelPair {
	list := make([]*dto.LabelPair, 0, len(labels)/2)
	for pair := range slices.Chunk(labels, 2) {
		list = append(list, &dto.LabelPair{Name: &pair[0], Value: &pair[1]})
	}
	return list
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
	g.collectObjects(out, d)
	value := func(desc *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	for name, a := range g.metrics.accounts {
		value(d.accountReady, oneIf(a.ready), labelsOf(name)...)
		value(d.accountSuspended, oneIf(a.suspended), labelsOf(name)...)
		value(d.rateNeeded, a.needed, append(labelsOf(name), a.key)...)
		value(d.rateLimit, float64(a.limit), append(labelsOf(name), a.key)...)
	}
}

func (g objectGauges) collectObjects(out chan<- prometheus.Metric, d descriptions) {
	now := time.Now()
	accounts, conditions := map[unique.Handle[types.NamespacedName]][]*dto.LabelPair{}, map[unique.Handle[conditionState]][]*dto.LabelPair{}
	for object, o := range g.metrics.objects {
		name := pairs("name", object.Name, "namespace", object.Namespace)
		value := func(desc *prometheus.Desc, v float64) { out <- &sample{desc, name, v} }
		stamp := func(desc *prometheus.Desc, at int64) {
			if at != 0 {
				value(desc, float64(at))
			}
		}
		stamp(d.notAfter, o.notAfter)
		stamp(d.notBefore, o.notBefore)
		stamp(d.renewal, o.renewal)
		stamp(d.nextAttempt, o.nextAttempt)
		value(d.live, float64(o.live(now)))
		value(d.asleep, oneIf(o.asleep))
		if accounts[o.account] == nil {
			account := o.account.Value()
			accounts[o.account] = pairs("account", account.Name, "account_kind", string(kindOf(account)), "account_namespace", account.Namespace)
		}
		out <- &sample{d.info, slices.Concat(accounts[o.account], name), 1}
		for _, condition := range o.conditions {
			if conditions[condition] == nil {
				c := condition.Value()
				conditions[condition] = pairs("reason", c.reason, "status", c.status, "type", c.kind)
			}
			out <- &sample{d.condition, slices.Concat(name, conditions[condition]), 1}
		}
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
