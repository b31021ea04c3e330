// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"
)

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(metricsPrefix+name, help, labels, nil)
}

// Objects are the gauges of ClusterCredentials, a collector each. There are ten values for every object, and whoever gathers them
// holds all that he gathers: so they are to be served one after the other.
func (m *Metrics) Objects() []prometheus.Collector {
	perObject := func(name, help string, tell func(*teller, objectState), labels ...string) prometheus.Collector {
		return objectGauge{m, gauge(name, help, append([]string{"namespace", "name"}, labels...)...), tell}
	}
	return []prometheus.Collector{
		perObject("certificate_not_after_timestamp_seconds", "When the published certificate expires.",
			func(t *teller, o objectState) { t.time(o.notAfter) }),
		perObject("certificate_not_before_timestamp_seconds", "When the validity of the published certificate began.",
			func(t *teller, o objectState) { t.time(o.notBefore) }),
		perObject("renewal_timestamp_seconds", "When the next certificate will be asked for.",
			func(t *teller, o objectState) { t.time(o.renewal) }),
		perObject("next_attempt_timestamp_seconds", "When a waiting attempt will be made.",
			func(t *teller, o objectState) { t.time(o.nextAttempt) }),
		perObject("live_certificates", "Certificates in the history of a ClusterCredential that have a known serial number and are not expired.",
			func(t *teller, o objectState) { t.value(float64(o.live(t.now))) }),
		perObject("cluster_asleep", "Whether the cluster hibernates, as far as the cloud has told: 1 or 0.",
			func(t *teller, o objectState) { t.value(oneIf(o.asleep)) }),
		perObject("info", "ClusterCredentials and their accounts; the value is always 1.", (*teller).account, accountLabels...),
		perObject("condition", "Conditions of ClusterCredentials; the value is 1 for what holds.", (*teller).conditions, "type", "status", "reason"),
	}
}

// objectGauge is one gauge of all objects.
type objectGauge struct {
	metrics *Metrics
	desc    *prometheus.Desc
	tell    func(*teller, objectState)
}

// Describe implements prometheus.Collector.
func (g objectGauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect implements prometheus.Collector.
func (g objectGauge) Collect(out chan<- prometheus.Metric) {
	t := teller{out: out, desc: g.desc, now: time.Now(), words: map[any][]*dto.LabelPair{}}
	g.metrics.mu.Lock()
	defer g.metrics.mu.Unlock()
	for object, o := range g.metrics.objects {
		t.object = object
		g.tell(&t, o)
	}
}

// teller tells the values of one gauge, object by object.
type teller struct {
	out    chan<- prometheus.Metric
	desc   *prometheus.Desc
	now    time.Time
	object types.NamespacedName
	words  map[any][]*dto.LabelPair // labels that objects have in common, by what they are about
}

func (t *teller) time(seconds int64) {
	if seconds != 0 {
		t.value(float64(seconds))
	}
}

func (t *teller) value(v float64) { t.out <- &sample{t.desc, t.name(), &dto.Gauge{Value: &v}} }

func (t *teller) name() []*dto.LabelPair {
	return pairs("name", t.object.Name, "namespace", t.object.Namespace)
}

// always is the value of what says all in its labels.
var always = &dto.Gauge{Value: new(1.0)}

func (t *teller) account(o objectState) {
	labels := t.words[o.account]
	if labels == nil {
		account := o.account.Value()
		labels = pairs("account", account.Name, "account_kind", string(kindOf(account)), "account_namespace", account.Namespace)
		t.words[o.account] = labels
	}
	t.out <- &sample{t.desc, slices.Concat(labels, t.name()), always}
}

func (t *teller) conditions(o objectState) {
	name := t.name()
	for _, condition := range o.conditions {
		labels := t.words[condition]
		if labels == nil {
			c := condition.Value()
			labels = pairs("reason", c.reason, "status", c.status, "type", c.kind)
			t.words[condition] = labels
		}
		t.out <- &sample{t.desc, slices.Concat(name, labels), always}
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

// sample is a value of one gauge of one object. It shares what it can with others.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // by name
	gauge  *dto.Gauge       // not changed by anybody
}

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label, out.Gauge = s.labels, s.gauge
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

// accountGauges are the gauges of accounts, of which there are few.
type accountGauges struct{ metrics *Metrics }

var (
	accountReady     = gauge("account_ready", "Whether the key of an account works: 1 or 0.", accountLabels...)
	accountSuspended = gauge("account_suspended", "Whether spec.suspend of an account is true: 1 or 0.", accountLabels...)
	rateNeeded       = gauge("account_rate_needed", "Certificates a minute that renewals by time of an account's ClusterCredentials need.", keyLabels...)
	rateLimit        = gauge("account_rate_limit", "Certificates a minute that an account allows; of accounts with one key the smallest counts.", keyLabels...)
)

// Describe implements prometheus.Collector.
func (g accountGauges) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{accountReady, accountSuspended, rateNeeded, rateLimit} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (g accountGauges) Collect(out chan<- prometheus.Metric) {
	g.metrics.mu.Lock()
	defer g.metrics.mu.Unlock()
	value := func(desc *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	for name, a := range g.metrics.accounts {
		value(accountReady, oneIf(a.ready), labelsOf(name)...)
		value(accountSuspended, oneIf(a.suspended), labelsOf(name)...)
		value(rateNeeded, a.needed, append(labelsOf(name), a.key)...)
		value(rateLimit, float64(a.limit), append(labelsOf(name), a.key)...)
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
