// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// FuzzSpec takes any JSON for a spec. The oracles: a record says the same after every round
// trip; what asks for no certificate is not in it; and an object at rest whose certificate was
// asked for with it wants nothing by the spec, and renews within its lifetime.
func FuzzSpec(f *testing.F) {
	for _, seeds := range specSeeds {
		for _, seed := range seeds {
			f.Add([]byte(seed), []byte(seed))
		}
	}
	f.Add([]byte(`{"accountRef":{"name":"\ud800"},"cluster":{"name":"\u0000<&>"}}`), []byte(specSeeds[0][0]))
	f.Add([]byte(specSeeds[0][0]), []byte(specSeeds[0][2])) // 30 days are 720h
	f.Add([]byte(specSeeds[0][3]), []byte(specSeeds[0][4])) // and the longest is not 10950 days
	f.Fuzz(func(t *testing.T, one, other []byte) {
		spec, ok := specOf(one)
		if !ok {
			return
		}
		checkRecord(t, spec)
		checkAtRest(t, spec)
		if changed, ok := specOf(other); ok {
			checkChange(t, spec, changed)
		}
	})
}

func specOf(text []byte) (v1alpha1.ClusterCredentialSpec, bool) {
	var spec v1alpha1.ClusterCredentialSpec
	err := json.Unmarshal(text, &spec)
	return spec, err == nil
}

// admitted repeats those rules of the CRD that the promises below stand on. What it refuses
// can still come from an API server whose CRD is another one: it must not harm.
func admitted(spec v1alpha1.ClusterCredentialSpec) bool {
	within := func(d, least time.Duration) bool { return d >= least && d <= 262800*time.Hour }
	if v := spec.Validity; v != nil {
		switch {
		case (v.Days == nil) == (v.Duration == nil), v.Duration != nil && !within(v.Duration.Duration, 20*time.Minute),
			v.Days != nil && *v.Days != -1 && (*v.Days < 1 || *v.Days > 10950):
			return false
		}
	}
	if r := spec.Renewal; r != nil {
		switch {
		case r.Before != nil && r.BeforePercent != nil, r.Before != nil && !within(r.Before.Duration, time.Second),
			r.BeforePercent != nil && (*r.BeforePercent < 1 || *r.BeforePercent > 89), len(r.Windows) > 8:
			return false
		}
	}
	kind := spec.AccountRef.Kind
	return (kind == "" || kind == v1alpha1.KindCloudAccount) &&
		spec.AccountRef.Name != "" && (spec.Cluster.ID == "") != (spec.Cluster.Name == "")
}

func checkRecord(t *testing.T, spec v1alpha1.ClusterCredentialSpec) {
	t.Helper()
	record := RecordOf(spec)
	if read, known := ParseRecord(record.String()); !known || read != record {
		t.Fatalf("%s reads back as %s, %v", record, read, known)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if again, ok := specOf(text); !ok || RecordOf(again) != record {
		t.Fatalf("the spec comes back from the API server as another request: %s", text)
	}
	still := spec
	still.Renewal, still.Endpoint, still.Outputs, still.DeletionPolicy, still.Suspend = nil, nil, nil, "", !spec.Suspend
	if diff := cmp.Diff(record, RecordOf(still)); diff != "" {
		t.Fatalf("a field that asks for no certificate is in the record:\n%s", diff)
	}
	if !admitted(spec) || record.Validity == validityMax {
		return
	}
	if validity, err := time.ParseDuration(record.Validity); err != nil || validity < 20*time.Minute {
		t.Fatalf("the validity in the record is %q", record.Validity)
	}
}

// scheduleOf is what the conductor makes of spec.renewal.
func scheduleOf(spec v1alpha1.ClusterCredentialSpec) (s Schedule) {
	if r := spec.Renewal; r != nil {
		s.Manual = r.Policy == v1alpha1.RenewalManual
		if r.Before != nil {
			s.Before = r.Before.Duration
		}
		if r.BeforePercent != nil {
			s.Percent = *r.BeforePercent
		}
		for _, w := range r.Windows {
			s.Windows = append(s.Windows, Window{Schedule: w.Schedule, Duration: w.Duration.Duration, TimeZone: w.TimeZone})
		}
	}
	return s
}

// checkAtRest decides for an object whose certificate was asked for with the very spec.
func checkAtRest(t *testing.T, spec v1alpha1.ClusterCredentialSpec) {
	t.Helper()
	published := RecordOf(spec)
	for _, lifetime := range []time.Duration{time.Second, 15 * time.Minute, 30 * day, 30 * 365 * day} {
		granted := Validity{NotBefore: noon, NotAfter: noon.Add(lifetime), Serial: "0A"}
		for _, now := range []time.Time{noon, noon.Add(lifetime / 2), granted.NotAfter} {
			want := Wanted{UID: "uid-1", Record: RecordOf(spec), Suspended: spec.Suspend, Schedule: scheduleOf(spec), With: "with", Floor: 10 * time.Minute}
			have := Found{
				Stored: &Stored{Validity: granted}, Published: true, Record: &published, Handled: []string{""},
				Attempts: []Attempt{{Trigger: v1alpha1.TriggerFirst, At: noon}},
			}
			checkDecision(t, now, want, have)
			d := Decide(now, want, have)
			if d.Trigger == v1alpha1.TriggerSpec || d.Changed {
				t.Fatalf("the spec differs from itself: %+v", d)
			}
			if admitted(spec) && (d.RenewalTime.Before(granted.NotBefore) || d.RenewalTime.After(granted.NotAfter)) {
				t.Fatalf("granted for %s, renewed %s after its start", lifetime, d.RenewalTime.Sub(granted.NotBefore))
			}
		}
	}
}

// meaning is what a certificate is asked for, in numbers.
type meaning struct {
	account, cluster string
	validity         time.Duration
}

func meaningOf(spec v1alpha1.ClusterCredentialSpec) meaning {
	m := meaning{spec.AccountRef.Name, spec.Cluster.ID, 30 * day}
	if v := spec.Validity; v != nil && v.Days != nil {
		m.validity = time.Duration(*v.Days) * day
	} else if v != nil {
		m.validity = v.Duration.Duration
	}
	return m
}

// checkChange holds that a change is one from both sides, and asks for a certificate once.
func checkChange(t *testing.T, before, after v1alpha1.ClusterCredentialSpec) {
	t.Helper()
	old, next := RecordOf(before), RecordOf(after)
	if old.Differs(next) != next.Differs(old) || old.OtherCluster(next) && !old.Differs(next) {
		t.Fatalf("%s and %s differ from one side only", old, next)
	}
	if admitted(before) && admitted(after) && before.Cluster.ID != "" && after.Cluster.ID != "" {
		if want := meaningOf(before) != meaningOf(after); next.Differs(old) != want {
			t.Fatalf("from %s to %s: another request is not %v", old, next, want)
		}
	}
	s := rest(func(s *situation) { s.want.Record, s.have.Record = next, &old })
	checkDecision(t, noon, s.want, s.have)
	if changed := s.decide().Trigger == v1alpha1.TriggerSpec; changed != next.Differs(old) {
		t.Fatalf("from %s to %s: asked for is %v", old, next, changed)
	}
	s.have.Record = &next
	if d := s.decide(); d.Changed || d.Trigger == v1alpha1.TriggerSpec {
		t.Fatalf("it is asked for a second time: %+v", d)
	}
}
