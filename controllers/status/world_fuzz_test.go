// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/controllers/rotation"
)

// world is one object, its Secret, its process and its cloud, without any server: what the
// conductor does, said once more in short, and wired through the real pure rooms.
type world struct {
	t   *testing.T
	now time.Time

	generation        int64
	record            rotation.Record
	request           string
	keyVersion        int
	suspended, manual bool
	status            v1alpha1.ClusterCredentialStatus
	secret            *Stored // what the Secret holds, with its marks
	record0           rotation.Record
	refusesWrites     bool

	held   *Stored // issued and not stored: lost with the process
	budget *budget.Budget

	next   []byte // the answers to come
	serial int
	log    ledger
	look   time.Time
}

const perMinute = 6

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: noon, generation: 1, status: v1alpha1.ClusterCredentialStatus{ObservedGeneration: -1},
		record: rotation.RecordOf(v1alpha1.ClusterCredentialSpec{
			AccountRef: v1alpha1.AccountReference{Name: "prod"}, Cluster: v1alpha1.ClusterReference{ID: "c-1"},
		}),
	}
	w.restart()
	return w
}

// restart is a new process: what only the old one knew is gone.
func (w *world) restart() {
	w.held, w.budget, w.log.turns, w.log.silent = nil, budget.New(w.now.Add(-time.Minute), 4), nil, time.Time{}
}

func (w *world) account() budget.Account {
	return budget.Account{Key: "k", Name: "fleet/prod", Version: strconv.Itoa(w.keyVersion), PerMinute: perMinute}
}

func (w *world) with() string { return fmt.Sprintf("%d %d %s", w.generation, w.keyVersion, w.request) }

func (w *world) want() rotation.Wanted {
	return rotation.Wanted{
		UID: "uid-1", Record: w.record, RenewRequest: w.request, Suspended: w.suspended, With: w.with(), Floor: floor,
		Schedule: rotation.Schedule{Manual: w.manual},
	}
}

// found derives what is there from Secret and status, as the conductor does.
func (w *world) found(lost *Lost) rotation.Found {
	s := w.status
	found := rotation.Found{
		Published: s.Certificate != nil || s.Revision > 0, Failures: s.Failures, FailedWith: s.AttemptedWith, Attempts: w.attempts(),
	}
	if s.NextAttemptTime != nil {
		found.RetryAt = s.NextAttemptTime.Time
	}
	if lost != nil {
		found.Failures, found.FailedWith, found.RetryAt = max(1, found.Failures), lost.With, lost.RetryAt
	}
	if s.Certificate != nil {
		found.Handled = append(found.Handled, s.LastHandledRenewRequest)
	}
	if w.secret != nil {
		c := w.secret.Certificate
		found.Handled = append(found.Handled, w.secret.Handled)
		found.Record = &w.record0
		found.Stored = &rotation.Stored{
			Validity:   rotation.Validity{NotBefore: c.NotBefore.Time, NotAfter: c.NotAfter.Time, Serial: c.SerialNumber},
			IssuanceID: w.secret.IssuanceID,
		}
	} else if s.Certificate != nil {
		if record, known := rotation.ParseRecord(s.Certificate.Request); known {
			found.Record = &record
		}
	}
	return found
}

func (w *world) attempts() []rotation.Attempt {
	var attempts []rotation.Attempt
	known := w.secret == nil
	for _, e := range w.status.History {
		known = known || e.FingerprintSHA256 == w.secret.Certificate.FingerprintSHA256
		attempts = append(attempts, rotation.Attempt{
			ID: e.IssuanceID, Trigger: e.Trigger, At: e.IssuedAt.Time,
			Lost: e.State == v1alpha1.CertificateUnknown, Discarded: e.State == v1alpha1.CertificateDiscarded,
		})
	}
	if !known {
		attempts = append(attempts, rotation.Attempt{ID: w.secret.IssuanceID, Trigger: w.secret.Trigger, At: w.secret.IssuedAt})
	}
	if open := w.open(); open != nil {
		attempts = append(attempts, rotation.Attempt{ID: open.ID, Trigger: open.Trigger, At: open.StartedAt.Time, Lost: true})
	}
	slices.SortStableFunc(attempts, func(a, b rotation.Attempt) int { return b.At.Compare(a.At) })
	return attempts
}

// open is an attempt in status whose outcome nobody knows.
func (w *world) open() *v1alpha1.Issuance {
	open := w.status.Issuance
	if open == nil || w.secret != nil && w.secret.IssuanceID == open.ID || w.held != nil && w.held.IssuanceID == open.ID {
		return nil
	}
	return open
}

func (w *world) lost() *Lost {
	open := w.open()
	if open == nil {
		return nil
	}
	retry := w.backoff(rotation.CapSoon)
	if held := open.StartedAt.Add(rotation.HoldOff); held.After(retry) {
		retry = held
	}
	return &Lost{Issuance: *open, ClusterID: open.ClusterID, With: w.with(), RetryAt: retry, NotAfter: open.StartedAt.Add(30 * day)}
}

func (w *world) backoff(most time.Duration) time.Time {
	left := time.Duration(0)
	if w.secret != nil {
		left = max(0, w.secret.Certificate.NotAfter.Sub(w.now))
	}
	return w.now.Add(rotation.Backoff(FailuresAfter(w.status, w.with()), most, left, "uid-1"))
}

// certificate is what the cloud grants: lifetimes from a second to a year.
func (w *world) granted(how byte, issuance v1alpha1.Issuance) *Stored {
	w.serial++
	name := strconv.Itoa(w.serial)
	lifetime := []time.Duration{30 * day, time.Second, 10 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, day, 365 * day}[how%8]
	from := w.now.Add(-time.Duration(how/8%2) * 5 * time.Minute).Truncate(time.Second)
	return &Stored{
		Certificate: v1alpha1.Certificate{
			SerialNumber: name, FingerprintSHA256: "fp-" + name, CommonName: "user-1", Request: w.record.String(),
			NotBefore: metav1.NewTime(from), NotAfter: metav1.NewTime(w.now.Add(lifetime).Truncate(time.Second)),
		},
		IssuanceID: issuance.ID, Trigger: issuance.Trigger, IssuedAt: issuance.StartedAt.Time, ClusterID: w.record.ClusterID,
		Access: v1alpha1.AccessInternal, Server: "https://192.168.0.64:5443", Revision: w.status.Revision + 1, Handled: w.request,
		Contexts: []v1alpha1.OfferedContext{{Name: "internal", Server: "https://192.168.0.64:5443", Verified: true}},
	}
}

// refusals are the ways in which a call fails.
var refusals = []issuer.Error{
	{Kind: issuer.Unavailable, Status: 503, MayHaveIssued: true}, {Kind: issuer.Unavailable, MayHaveIssued: true}, {Kind: issuer.Unavailable},
	{Kind: issuer.Throttled, Status: 429}, {Kind: issuer.Throttled, Status: 429, RetryAfter: 57 * time.Second},
	{Kind: issuer.Unauthorized, Status: 401}, {Kind: issuer.Forbidden, Status: 403}, {Kind: issuer.NotFound, Status: 404},
	{Kind: issuer.NotAvailable, Status: 409}, {Kind: issuer.Rejected, Status: 400}, {Kind: issuer.InvalidResponse, Status: 200, MayHaveIssued: true},
}
