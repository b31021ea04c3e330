// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func days(n int32) *v1alpha1.Validity { return &v1alpha1.Validity{Days: &n} }

func duration(d time.Duration) *v1alpha1.Validity {
	return &v1alpha1.Validity{Duration: &metav1.Duration{Duration: d}}
}

func TestTheSameValidityIsWrittenTheSameWay(t *testing.T) {
	for name, test := range map[string]struct {
		validity *v1alpha1.Validity
		want     string
	}{
		"unset":                               {nil, "720h0m0s"},
		"set to nothing":                      {&v1alpha1.Validity{}, "720h0m0s"},
		"30 days":                             {days(30), "720h0m0s"},
		"720 hours":                           {duration(720 * time.Hour), "720h0m0s"},
		"720 hours in minutes":                {duration(43200 * time.Minute), "720h0m0s"},
		"one day":                             {days(1), "24h0m0s"},
		"the longest that can be written":     {days(10950), "262800h0m0s"},
		"the longest that the cloud grants":   {days(-1), "max"},
		"an hour and a half":                  {duration(90 * time.Minute), "1h30m0s"},
		"the shortest":                        {duration(20 * time.Minute), "20m0s"},
		"half a second more is told, too":     {duration(20*time.Minute + 500*time.Millisecond), "20m0.5s"},
		"as long as the longest, but in days": {duration(262800 * time.Hour), "262800h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := validityOf(test.validity); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheRecordOfASpecHasItsDefaultsApplied(t *testing.T) {
	got := RecordOf(v1alpha1.ClusterCredentialSpec{
		AccountRef: v1alpha1.AccountReference{Name: "prod"},
		Cluster:    v1alpha1.ClusterReference{Name: "prod-1"},
	})
	want := Record{Version: 1, AccountKind: "CloudAccount", AccountName: "prod", ClusterType: "Standard", Validity: "720h0m0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	explicit := RecordOf(v1alpha1.ClusterCredentialSpec{
		AccountRef: v1alpha1.AccountReference{Kind: "CloudAccount", Name: "prod"},
		Cluster:    v1alpha1.ClusterReference{Name: "prod-1", Type: "Standard"},
		Validity:   days(30),
	})
	if explicit != got {
		t.Errorf("a spec that writes its defaults out gives %s, want %s", explicit, got)
	}
	byID := RecordOf(v1alpha1.ClusterCredentialSpec{Cluster: v1alpha1.ClusterReference{ID: "c-1", Type: "Autopilot"}})
	if byID.ClusterID != "c-1" || byID.ClusterType != "Autopilot" {
		t.Errorf("got %s, want the id and the type of the cluster", byID)
	}
}

// Stored objects carry this text: another form would ask for a certificate for each.
func TestTheFormOfARecordIsFixed(t *testing.T) {
	const want = `{"v":1,"accountKind":"CloudAccount","accountName":"prod","projectID":"p","clusterID":"c-1","clusterType":"Standard","validity":"720h0m0s"}`
	if got := record().String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, known := ParseRecord(want); !known || got != record() {
		t.Errorf("read back: %s, %v", got, known)
	}
}

func TestARecordThatIsNotOursIsUnknown(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		known bool
	}{
		"nothing":                          {"", false},
		"no JSON":                          {"30 days", false},
		"null":                             {"null", false},
		"an empty object has no version":   {"{}", false},
		"another version":                  {`{"v":2,"accountName":"prod"}`, false},
		"a version of another type":        {`{"v":"1"}`, false},
		"a field of another type":          {`{"v":1,"validity":30}`, false},
		"a list":                           {`[{"v":1}]`, false},
		"something behind it":              {`{"v":1} x`, false},
		"cut off":                          {record().String()[:60], false},
		"missing fields are not known":     {`{"v":1}`, true},
		"fields of a later release":        {`{"v":1,"grant":{"a":[1]}}`, true},
		"white space is somebody's editor": {" {\n \"v\" : 1 } ", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, known := ParseRecord(test.text)
			if known != test.known || !known && got != (Record{}) {
				t.Errorf("got %s, %v; want known: %v", got, known, test.known)
			}
		})
	}
}

func TestARecordDiffersByWhatACertificateDependsOn(t *testing.T) {
	for name, test := range map[string]struct {
		change       func(*Record)
		differs      bool
		otherCluster bool
	}{
		"equal":                                         {func(*Record) {}, false, false},
		"another account":                               {func(r *Record) { r.AccountName = "other" }, true, false},
		"another kind of account":                       {func(r *Record) { r.AccountKind = "ClusterCloudAccount" }, true, false},
		"another validity":                              {func(r *Record) { r.Validity = "max" }, true, false},
		"another cluster":                               {func(r *Record) { r.ClusterID = "c-2" }, true, true},
		"a cluster that is not looked up":               {func(r *Record) { r.ClusterID = "" }, false, false},
		"an account that is not recorded":               {func(r *Record) { r.AccountName, r.AccountKind = "", "" }, false, false},
		"the project alone: the id is unique over all":  {func(r *Record) { r.ProjectID = "q" }, false, false},
		"the type alone: it picks the path of the call": {func(r *Record) { r.ClusterType = "Autopilot" }, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			want := record()
			test.change(&want)
			for direction, pair := range map[string][2]Record{"wanted": {want, record()}, "published": {record(), want}} {
				if got := pair[0].Differs(pair[1]); got != test.differs {
					t.Errorf("%s: Differs = %v", direction, got)
				}
				if got := pair[0].OtherCluster(pair[1]); got != test.otherCluster {
					t.Errorf("%s: OtherCluster = %v", direction, got)
				}
			}
		})
	}
}

func TestOnlyWhatIsNotKnownIsFilledIn(t *testing.T) {
	other := record()
	other.ProjectID, other.ClusterID, other.Validity, other.AccountName = "q", "c-2", "max", "other"
	if got := record().Filled(other); got != record() {
		t.Errorf("got %s, want what was known", got)
	}
	bare := record()
	bare.ProjectID, bare.ClusterID = "", ""
	want := record()
	want.ProjectID, want.ClusterID = "q", "c-2"
	if got := bare.Filled(other); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The oracle: what is read is written in one form, reads back as the same record, and
// is never another request than itself.
func FuzzParseRecord(f *testing.F) {
	for _, seed := range []string{
		record().String(), "", "{}", `{"v":1}`, `{"v":2}`, `{"V":1,"v":1,"VALIDITY":"max"}`,
		`{"v":1,"accountName":"<&>\u2028\ud800"}`, "{\"v\":1,\"clusterID\":\"\xff\"}", `{"v":1e0}`, `{"v":1,"x":` + strings.Repeat("[", 50),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, known := ParseRecord(text)
		if !known {
			if r != (Record{}) {
				t.Fatalf("not known, and yet %s", r)
			}
			return
		}
		again, known := ParseRecord(r.String())
		if !known || again != r || again.String() != r.String() {
			t.Fatalf("%s reads back as %s, %v", r, again, known)
		}
		if r.Differs(again) || r.OtherCluster(again) || r.Filled(again) != r {
			t.Fatalf("%s differs from itself", r)
		}
	})
}
