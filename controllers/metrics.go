// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"sync"
	"time"
	"unique"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/status"
	"github.com/clustercredential/operator/controllers/verify"
)

const metricsPrefix = "clustercredential_"

// Metrics counts what happens, and tells of every object as it was last reported. Gauges
// are made when they are asked for: they go with the object.
type Metrics struct {
	issuances *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	publishes *prometheus.CounterVec
	waits     *prometheus.HistogramVec
	unknown   *prometheus.CounterVec
	tries     *prometheus.CounterVec

	mu       sync.Mutex
	objects  map[types.NamespacedName]objectState
	accounts map[types.NamespacedName]accountState
}

// objectState is what the object gauges tell: small, since there is one for each object. Times are in seconds since 1970; zero: none.
type objectState struct {
	account                                   unique.Handle[types.NamespacedName]
	notBefore, notAfter, renewal, nextAttempt int64
	expiries                                  []int64 // of the certificates that are known by serial number
	conditions                                []unique.Handle[conditionState]
	asleep                                    bool // the cluster hibernates, as far as it is known
}

// accountState is what the account gauges tell.
type accountState struct {
	ready, suspended bool
	needed           float64 // certificates a minute that renewals by time of its credentials need
	limit            int     // as many are allowed
	// key names what accounts share that have the same key, and so its limit; it tells nothing of the key.
	key string
}

type conditionState struct {
	kind, status, reason string
}

var (
	accountLabels = []string{"account_kind", "account_namespace", "account"}
	keyLabels     = []string{"account_kind", "account_namespace", "account", "key"}
)

// NewMetrics returns metrics that are registered with registry, but for those of Objects.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		issuances: counter("issuances_total", "Calls that asked for a certificate, by result (success, failure) and reason.", append(accountLabels, "result", "reason")...),
		duration:  histogram("issue_duration_seconds", "How long the calls that asked for a certificate took.", callBuckets, accountLabels...),
		publishes: counter("publish_total", "Writes of an output Secret with a new certificate, by result (success, failure).", "format", "result"),
		waits:     histogram("rate_limit_wait_seconds", "How long certificates waited for their turn under their account's limit.", waitBuckets, accountLabels...),
		unknown:   counter("unknown_outcomes_total", "Calls whose answer was lost: a certificate may exist that is not stored.", accountLabels...),
		tries:     counter("verification_total", "Times that a credential was tried against its cluster, by result (accepted, refused, unreachable, busy).", "result"),
		objects:   map[types.NamespacedName]objectState{},
		accounts:  map[types.NamespacedName]accountState{},
	}
	for _, c := range []prometheus.Collector{m.issuances, m.duration, m.publishes, m.waits, m.unknown, m.tries, accountGauges{m}} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help}, labels)
}

// Upper bounds in seconds: a call ends after postDeadline, and a fleet of 10,000 waits
// 21 hours for its turns at 8 a minute.
var (
	callBuckets = prometheus.ExponentialBuckets(0.02, 2, 10)
	waitBuckets = prometheus.ExponentialBuckets(0.1, 4, 11)
)

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: metricsPrefix + name, Help: help, Buckets: buckets}, labels)
}

// issued counts one call that asked for a certificate.
func (m *Metrics) issued(a account, took time.Duration, err error) {
	labels := labelsOf(a.object.key())
	result, reason := "success", string(v1alpha1.ReasonIssued)
	if err != nil {
		result, reason = "failure", string(status.ReasonOf(issuer.As(err).Kind))
	}
	m.issuances.WithLabelValues(append(labels, result, reason)...).Inc()
	m.duration.WithLabelValues(labels...).Observe(took.Seconds())
}

func labelsOf(account types.NamespacedName) []string {
	return []string{string(kindOf(account)), account.Namespace, account.Name}
}

func (m *Metrics) published(format v1alpha1.OutputFormat, ok bool) {
	result := "success"
	if !ok {
		result = "failure"
	}
	m.publishes.WithLabelValues(string(format), result).Inc()
}

func (m *Metrics) verified(verdict verify.Verdict) {
	m.tries.WithLabelValues(strings.ToLower(verdict.String())).Inc()
}

func (m *Metrics) waited(a account, wait time.Duration) {
	m.waits.WithLabelValues(labelsOf(a.object.key())...).Observe(wait.Seconds())
}

func (m *Metrics) unknownOutcome(cc *v1alpha1.ClusterCredential) {
	m.unknown.WithLabelValues(labelsOf(accountName(cc))...).Inc()
}

// observe notes the status of an object for the gauges, and whether its cluster hibernates.
func (m *Metrics) observe(cc *v1alpha1.ClusterCredential, s v1alpha1.ClusterCredentialStatus, asleep bool) {
	state := objectState{
		account: unique.Make(accountName(cc)), renewal: secondsOf(s.RenewalTime), nextAttempt: secondsOf(s.NextAttemptTime), asleep: asleep,
		conditions: make([]unique.Handle[conditionState], len(s.Conditions)),
	}
	if s.Certificate != nil {
		state.notBefore, state.notAfter = secondsOf(&s.Certificate.NotBefore), secondsOf(&s.Certificate.NotAfter)
	}
	for _, entry := range s.History {
		if entry.SerialNumber != "" {
			state.expiries = append(state.expiries, secondsOf(entry.NotAfter))
		}
	}
	for i, c := range s.Conditions {
		state.conditions[i] = unique.Make(conditionState{c.Type, string(c.Status), c.Reason})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[types.NamespacedName{Namespace: cc.Namespace, Name: cc.Name}] = state
}

func (m *Metrics) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}

// observeAccount notes whether an account's key works, and how much of its limit is needed.
func (m *Metrics) observeAccount(name types.NamespacedName, state accountState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts[name] = state
}

func (m *Metrics) forgetAccount(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts, name)
}

func secondsOf(t *metav1.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
