// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/output"
	"github.com/clustercredential/operator/controllers/testkit"
	"github.com/clustercredential/operator/hack/ccesim"
)

// workload is something that the operator is to do, in steps that are each followed to rest.
type workload struct {
	name    string
	prepare []func(*testkit.World)
	steps   []func(*testkit.World)
	// posts is how many certificates the steps ask for.
	posts int
	// removes is true where a Secret with a credential goes, since somebody wants it to.
	removes bool
	// likeRenewal is true where the requests are those of a renewal, one by one.
	likeRenewal bool
}

func create(changes ...func(*v1alpha1.ClusterCredential)) func(*testkit.World) {
	return func(w *testkit.World) { w.Create(w.Credential("prod-1", changes...)) }
}

func change(change func(*v1alpha1.ClusterCredential)) func(*testkit.World) {
	return func(w *testkit.World) { w.Change("prod-1", change) }
}

func remove(w *testkit.World) { w.Must(w.Client.Delete(w.T.Context(), w.Get("prod-1"))) }

func removeSecret(w *testkit.World) {
	w.Must(w.Client.Delete(w.T.Context(), w.Secret("prod-1-kubeconfig")))
}

func later(d time.Duration) func(*testkit.World) { return func(w *testkit.World) { w.Advance(d) } }

func withLabels(labels map[string]v1alpha1.LabelValue) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) {
		cc.Spec.Outputs = []v1alpha1.Output{{SecretName: "prod-1-kubeconfig", Labels: labels}}
	}
}

func goesAlong(cc *v1alpha1.ClusterCredential) { cc.Spec.DeletionPolicy = v1alpha1.DeletionDelete }

func ofOtherCluster(cc *v1alpha1.ClusterCredential) { cc.Spec.Cluster.ID = testkit.OtherID }

func forDays(days int32) func(*v1alpha1.ClusterCredential) {
	return func(cc *v1alpha1.ClusterCredential) { cc.Spec.Validity = &v1alpha1.Validity{Days: &days} }
}

func workloads() []workload {
	type steps = []func(*testkit.World)
	return []workload{
		{name: "first issue", steps: steps{create()}, posts: 1},
		{name: "renewal", prepare: steps{create()}, steps: steps{later(21 * day)}, posts: 1},
		{name: "requested renewal", prepare: steps{create(), later(time.Hour)}, steps: steps{change(newValue("x"))}, posts: 1, likeRenewal: true},
		{name: "changed validity", prepare: steps{create()}, steps: steps{change(forDays(60))}, posts: 1, likeRenewal: true},
		{name: "changed cluster", prepare: steps{create()}, steps: steps{change(ofOtherCluster)}, posts: 1, likeRenewal: true},
		{name: "moved output", prepare: steps{create()}, steps: steps{change(movedTo("elsewhere"))}},
		{name: "moved output under Delete", prepare: steps{create(goesAlong)}, steps: steps{change(movedTo("elsewhere"))}, removes: true},
		{name: "deleted and created again", prepare: steps{create(newValue("x"))}, steps: steps{remove, create(newValue("x"))}},
		{
			name: "changed labels", prepare: steps{create(withLabels(map[string]v1alpha1.LabelValue{"a": "1", "b": "1"}))},
			steps: steps{change(withLabels(map[string]v1alpha1.LabelValue{"b": "2", "c": "1"}))},
		},
		{name: "deleted Secret", prepare: steps{create()}, steps: steps{removeSecret}, posts: 1, removes: true},
	}
}

// world is one in which the workload can begin. It lives three weeks and a day ago, so that the API server, whose
// clock is the real one, accepts every certificate of the workload.
func (l workload) world(t *testing.T) *testkit.World {
	t.Helper()
	w := testkit.New(t)
	w.Advance(-22 * day)
	for _, step := range l.prepare {
		step(w)
		w.Settle("prod-1")
	}
	return w
}

// run makes the steps while requests fail, and looks at the Secrets after every request that may have changed one.
func (l workload) run(t *testing.T, w *testkit.World, fault testkit.Fault) {
	t.Helper()
	seen := newWitness(l)
	w.Recorder.Reset(seen.before(t, w, fault))
	for _, step := range l.steps {
		seen.look(t, w)
		step(w)
		w.Settle("prod-1")
	}
	seen.look(t, w)
}

// witness sees that a credential in a Secret is only ever followed by a newer one.
type witness struct {
	removes bool
	newest  map[string]int // by name of the Secret: which POST its certificate came from
	wrote   bool
}

func newWitness(l workload) *witness { return &witness{removes: l.removes, newest: map[string]int{}} }

// before is the fault, with a look at what the request before came to where that was the write of a Secret.
func (s *witness) before(t *testing.T, w *testkit.World, fault testkit.Fault) testkit.Fault {
	return func(number int, call testkit.Call) (error, bool) {
		if s.wrote {
			s.look(t, w)
		}
		s.wrote = call.IsWrite() && call.Kind == testkit.KindSecret
		if fault == nil {
			return nil, false
		}
		return fault(number, call)
	}
}

func (s *witness) look(t *testing.T, w *testkit.World) {
	t.Helper()
	var secrets corev1.SecretList
	w.Must(w.Client.List(t.Context(), &secrets, client.InNamespace(w.Namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"}))
	there := map[string]bool{}
	for _, secret := range secrets.Items {
		there[secret.Name] = true
		c, _, found := output.Search(secret.Data)
		before, known := s.newest[secret.Name]
		if !found {
			t.Errorf("Secret %s holds no credential", secret.Name)
			continue
		}
		origin := slices.IndexFunc(w.Sim.Ledger(), func(e ccesim.Entry) bool { return e.Serial == c.SerialNumber })
		if origin < 0 || known && origin < before {
			t.Errorf("Secret %s holds the certificate of POST %d after that of POST %d", secret.Name, origin, before)
		}
		s.newest[secret.Name] = origin
	}
	for name := range s.newest {
		if !there[name] && !s.removes {
			t.Errorf("Secret %s is gone", name)
		}
	}
}

// end is all of the end of a workload that does not differ from run to run.
type end struct {
	Conditions             map[string]string
	Posts, Revision        int
	Failures               int32
	Waits, Open            bool
	Generation             int64
	Server, Cluster        string
	Access                 v1alpha1.Access
	Handled                string
	Outputs, History       []string
	Secrets, SecretsLabels map[string][]string
}

func endOf(w *testkit.World) end {
	s := w.Get("prod-1").Status
	e := end{
		Conditions: conditions(w.Get("prod-1")), Posts: w.Posts(), Revision: int(s.Revision), Failures: s.Failures,
		Waits: s.NextAttemptTime != nil, Open: s.Issuance != nil, Generation: s.ObservedGeneration,
		Server: s.Server, Cluster: s.ClusterID, Access: s.Access, Handled: s.LastHandledRenewRequest,
		Secrets: map[string][]string{}, SecretsLabels: map[string][]string{},
	}
	for _, o := range s.Outputs {
		e.Outputs = append(e.Outputs, fmt.Sprintf("%s %s %d", o.SecretName, o.State, o.Revision))
	}
	for _, h := range s.History {
		e.History = append(e.History, fmt.Sprintf("%s %s", h.Trigger, h.State))
	}
	var secrets corev1.SecretList
	w.Must(w.Client.List(w.T.Context(), &secrets, client.InNamespace(w.Namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"}))
	for _, secret := range secrets.Items {
		state := "kept"
		if secret.Annotations[v1alpha1.AnnotationReleasedAt] != "" {
			state = "released"
		}
		e.Secrets[secret.Name] = append(slices.Sorted(maps.Keys(secret.Data)), state, secret.Annotations[v1alpha1.AnnotationRevision])
		for label, value := range secret.Labels {
			e.SecretsLabels[secret.Name] = append(e.SecretsLabels[secret.Name], label+"="+value)
		}
		slices.Sort(e.SecretsLabels[secret.Name])
	}
	return e
}

// wantEnd checks that a workload came to the end that it has without a fault, and stays there.
func wantEnd(t *testing.T, w *testkit.World, want end) {
	t.Helper()
	if diff := cmp.Diff(want, endOf(w)); diff != "" {
		t.Errorf("the end (-without a fault +with it):\n%s", diff)
	}
	wantServes(t, w, "prod-1")
	wantAllNoted(t, w)
	if cc := w.Get("prod-1"); cc.Status.Server == w.Cluster.URL() {
		if user := w.Login(cc.Status.Outputs[0].SecretName, v1alpha1.DefaultSecretKey); user != testkit.UserID {
			t.Errorf("the API server takes the bearer for %q, want %q", user, testkit.UserID)
		}
	}
	wantRest(t, w)
}

// wantRest checks that neither this process nor another one has anything left to write.
func wantRest(t *testing.T, w *testkit.World) {
	t.Helper()
	posts := w.Posts()
	w.Recorder.Reset(nil)
	w.Settle("prod-1")
	w.Restart()
	w.Settle("prod-1")
	if writes := w.Recorder.Writes(); len(writes) > 0 {
		t.Errorf("writes at rest: %v", writes)
	}
	wantPosts(t, w, posts)
}

// wantAllNoted checks that no certificate was made that history does not tell of.
func wantAllNoted(t *testing.T, w *testkit.World) {
	t.Helper()
	history := w.Get("prod-1").Status.History
	unknown, untold := 0, 0
	for _, entry := range history {
		if entry.State == v1alpha1.CertificateUnknown || entry.SerialNumber == "" {
			unknown++
		}
	}
	for _, minted := range w.Sim.Ledger() {
		told := slices.ContainsFunc(history, func(e v1alpha1.HistoryEntry) bool { return e.SerialNumber == minted.Serial })
		if minted.Minted() && !told {
			untold++
		}
	}
	if untold > unknown {
		t.Errorf("%d certificates are not in history by number, which tells of %d without one: %+v", untold, unknown, history)
	}
}

// mishap is what befalls a request, and then whatever of the same verb and kind follows, until there are no hits left.
type mishap struct {
	name string
	fits func(testkit.Call) bool
	hits []hit
	// tidy is asked for before each request after the first hit.
	tidy func(*testkit.World)
}

// hit is what is done to a request; without an error it is carried out as it is.
type hit func(*testkit.World, testkit.Call) testkit.APIFault

// mishaps are all faults of the API server, three in a row, and somebody else who is faster. What is said to have failed
// after the fact comes last, since it leaves nothing to be done again. The operator does not look at what became of
// an event, so that one fault before and one after the fact do there.
func mishaps() []mishap {
	all := []mishap{
		{name: "somebody changes the object first", fits: isDecisive, hits: []hit{touchEverything}},
		{name: "somebody takes the name for a moment", fits: isCreation, hits: []hit{takeName}, tidy: giveNameBack},
	}
	var before, after []testkit.APIFault
	for _, fault := range testkit.APIFaults() {
		if fault.After {
			after = append(after, fault)
		} else {
			before = append(before, fault)
		}
		if strings.HasPrefix(fault.Name, "connection reset") {
			all = append(all, mishap{name: fault.Name, fits: isEvent, hits: []hit{hitBy(fault)}})
		}
	}
	for i, last := range after { // twice as many fail before the fact
		first, second := before[i], before[len(after)+i]
		all = append(all, mishap{
			name: first.Name + ", " + second.Name + ", " + last.Name, fits: func(call testkit.Call) bool { return !isEvent(call) },
			hits: []hit{hitBy(first), hitBy(second), hitBy(last)},
		})
	}
	return all
}

func hitBy(fault testkit.APIFault) hit {
	return func(*testkit.World, testkit.Call) testkit.APIFault { return fault }
}

func isEvent(call testkit.Call) bool { return call.Kind == "Event" }

func isDecisive(call testkit.Call) bool { return call.IsWrite() && !isEvent(call) }

func isCreation(call testkit.Call) bool {
	return call.Kind == testkit.KindSecret && (call.Verb == "create" || call.Verb == "dryrun")
}

// touchEverything makes every resourceVersion that the operator knows an old one, so that the conflict is a real one.
func touchEverything(w *testkit.World, _ testkit.Call) testkit.APIFault {
	objects := []client.Object{}
	var secrets corev1.SecretList
	w.Must(w.Client.List(w.T.Context(), &secrets, client.InNamespace(w.Namespace), client.MatchingLabels{v1alpha1.LabelManaged: "true"}))
	for i := range secrets.Items {
		objects = append(objects, &secrets.Items[i])
	}
	var credentials v1alpha1.ClusterCredentialList
	w.Must(w.Client.List(w.T.Context(), &credentials, client.InNamespace(w.Namespace)))
	for i := range credentials.Items {
		objects = append(objects, &credentials.Items[i])
	}
	for _, object := range objects {
		annotations := maps.Clone(object.GetAnnotations())
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["example.com/touched"] = "yes"
		object.SetAnnotations(annotations)
		w.Must(w.Client.Update(w.T.Context(), object))
	}
	return testkit.APIFault{}
}

// takeName puts a Secret of somebody else where the operator is about to create its own.
func takeName(w *testkit.World, call testkit.Call) testkit.APIFault {
	if call != (testkit.Call{Verb: "create", Kind: testkit.KindSecret}) {
		return testkit.APIFault{Err: testkit.AlreadyExists()}
	}
	for _, name := range []string{"prod-1-kubeconfig", "elsewhere"} {
		_ = w.Client.Create(w.T.Context(), foreign(w, name)) // where there is one of that name already, it is not what is created
	}
	return testkit.APIFault{}
}

func giveNameBack(w *testkit.World) {
	for _, name := range []string{"prod-1-kubeconfig", "elsewhere"} {
		secret := &corev1.Secret{}
		if err := w.Client.Get(w.T.Context(), w.Key(name), secret); err == nil && secret.Labels[v1alpha1.LabelManaged] == "" {
			w.Must(w.Client.Delete(w.T.Context(), secret))
		}
	}
}

// at makes a fault of a mishap that begins with the k-th request, and counts the hits.
func (m mishap) at(w *testkit.World, k int, target testkit.Call) (fault testkit.Fault, hits *int) {
	hits = new(int)
	return func(number int, call testkit.Call) (error, bool) {
		if *hits > 0 && m.tidy != nil {
			m.tidy(w)
		}
		if number < k || *hits == len(m.hits) || call != target {
			return nil, false
		}
		*hits++
		fault := m.hits[*hits-1](w, call)
		return fault.Err, fault.After
	}, hits
}

// TestEveryRequestToTheAPIServerMayFailInEveryWay lets a mishap begin at each request of every workload: three faults one after
// the other, which the request and its repetitions meet, so that the ways are shared out (see mishaps and takes). No
// mishap costs a certificate: what was asked for is held until it is stored, and an intent whose write was answered with an
// error is known not to have been followed by a call, whether it was written or not.
func TestEveryRequestToTheAPIServerMayFailInEveryWay(t *testing.T) {
	cases, requests := 0, 0
	for i, load := range workloads() {
		reference := load.world(t)
		before := reference.Posts()
		load.run(t, reference, nil)
		calls, want := reference.Recorder.Calls(), endOf(reference)
		wantConditions(t, reference.Get("prod-1"), healthy)
		wantPosts(t, reference, before+load.posts)
		t.Logf("%s: %v", load.name, calls)
		for j, m := range mishaps() {
			for k, call := range calls {
				if !m.fits(call) || !load.takes(i+j+k, call) {
					continue
				}
				cases++
				requests += len(m.hits)
				t.Run(fmt.Sprintf("%s/%s/%d %s %s", load.name, m.name, k, call.Verb, call.Kind), func(t *testing.T) {
					t.Parallel()
					w := load.world(t)
					fault, hits := m.at(w, k, call)
					load.run(t, w, fault)
					if *hits != len(m.hits) {
						t.Fatalf("%d of %d requests were hit: the sweep is not what it says", *hits, len(m.hits))
					}
					wantEnd(t, w, want)
				})
			}
		}
	}
	t.Logf("%d cases, in which %d requests go wrong", cases, requests)
	if cases < 150 {
		t.Error("too few to show anything")
	}
}

// takes thins the sweep out. Workloads that make the requests of a renewal share its mishaps among them. Requests that change
// nothing meet every other mishap, and in another workload the rest.
func (l workload) takes(turn int, call testkit.Call) bool {
	switch {
	case l.likeRenewal:
		return turn%3 == 0
	case !call.IsWrite():
		return turn%2 == 0
	default:
		return true
	}
}

// outage is a way in which every request of a kind fails for some time.
type outage struct {
	name  string
	err   error
	after bool
	fits  func(workload, testkit.Call) bool
}

// outages are one way of each sort that the operator tells apart: refused, and carried out but answered with an error. A
// Secret that is not answered for at all is tried for 15 s of real time, so two workloads do for that.
func outages() []outage {
	return []outage{
		{name: "forbidden", err: testkit.Forbidden(), fits: func(workload, testkit.Call) bool { return true }},
		{name: "connection reset after the fact", err: testkit.ConnectionReset(), after: true, fits: func(_ workload, call testkit.Call) bool {
			return isDecisive(call)
		}},
		{name: "connection reset", err: testkit.ConnectionReset(), fits: func(l workload, call testkit.Call) bool {
			return l.posts > 0 && isDecisive(call)
		}},
	}
}

// outageLasts is how long a kind of request fails, by the clock of the world.
const outageLasts = 10 * time.Minute

// TestAKindOfRequestMayFailForTenMinutes fails all requests of a kind for ten minutes, and expects the end that there is
// without it.
func TestAKindOfRequestMayFailForTenMinutes(t *testing.T) {
	cases := 0
	for _, load := range workloads() {
		if !slices.Contains([]string{"first issue", "renewal", "moved output", "deleted and created again"}, load.name) {
			continue // they make the same requests
		}
		reference := load.world(t)
		load.run(t, reference, nil)
		kinds, want := kindsOf(reference.Recorder.Calls()), endOf(reference)
		for _, call := range kinds {
			for _, o := range outages() {
				if !o.fits(load, call) {
					continue
				}
				cases++
				t.Run(fmt.Sprintf("%s/%s/%s %s", load.name, o.name, call.Verb, call.Kind), func(t *testing.T) {
					t.Parallel()
					w := load.world(t)
					o.befall(t, w, load, call)
					wantEnd(t, w, want)
				})
			}
		}
	}
	t.Logf("%d cases", cases)
	if cases < 30 {
		t.Error("too few to show anything")
	}
}

// kindsOf are the calls, each once.
func kindsOf(calls []testkit.Call) (kinds []testkit.Call) {
	for _, call := range calls {
		if !slices.Contains(kinds, call) {
			kinds = append(kinds, call)
		}
	}
	return kinds
}

// befall makes the steps, each in an outage of its own.
func (o outage) befall(t *testing.T, w *testkit.World, load workload, target testkit.Call) {
	t.Helper()
	seen, down, hits := newWitness(load), false, 0
	w.Recorder.Reset(seen.before(t, w, func(_ int, call testkit.Call) (error, bool) {
		if !down || call != target {
			return nil, false
		}
		hits++
		return o.err, o.after
	}))
	for _, step := range load.steps {
		step(w)
		down = true
		for start := w.Clock.Now(); w.Clock.Now().Sub(start) < outageLasts; {
			result, err := w.Try("prod-1")
			if err != nil {
				result.RequeueAfter = 0 // the queue backs off
			}
			w.Advance(min(max(result.RequeueAfter, 20*time.Second), time.Minute))
		}
		down = false
		w.Advance(outageLasts) // longer than any back-off that the outage has led to
		w.Settle("prod-1")
		seen.look(t, w)
	}
	if hits == 0 {
		t.Fatal("no request was hit: the outage is not what it says")
	}
}

// Both sides fail: the cloud in each of its ways, once, and then the API server, when what came of it is to be written.
// What was made is noted all the same, and as many certificates are asked for as when only the cloud fails.
func TestWhatTheCloudDidIsKeptThoughTheAPIServerFailsNext(t *testing.T) {
	faults, cases := 0, 0
	for i, fault := range ccesim.Faults() {
		if fault.Name == ccesim.FaultDelay {
			continue // the answer comes, later: no fault to us
		}
		faults++
		all := workloads()[:5] // each fault meets two of them, and they share the writes after the call, and the ways to fail
		for turn, load := range []workload{all[i%5], all[(i+2)%5]} {
			write, after := (i+turn)%2, (i/2+turn)%2 == 0
			cases++
			t.Run(fmt.Sprintf("%s/%s/write %d", fault.Name, load.name, write), func(t *testing.T) {
				t.Parallel()
				load.bothFail(t, fault.Name, write, after)
			})
		}
	}
	t.Logf("%d faults of the cloud, and %d cases", faults, cases)
	if faults < 30 || cases < 2*faults {
		t.Error("too few to show anything")
	}
}

// bothFail compares a run in which only the cloud fails with one in which both do.
func (l workload) bothFail(t *testing.T, fault ccesim.FaultName, write int, after bool) {
	t.Helper()
	reference := l.world(t)
	cloudFails(reference, fault)
	posts, writes := reference.Posts(), 0
	l.run(t, reference, func(_ int, call testkit.Call) (error, bool) {
		if reference.Posts() > posts && isDecisive(call) {
			writes++
		}
		return nil, false
	})
	want := endOf(reference)
	wantAllNoted(t, reference)
	if write >= writes {
		write = 0 // it waits for a person, and one write says so
	}

	w := l.world(t)
	cloudFails(w, fault)
	next, failed := failsNext(w, write, testkit.APIFault{Err: testkit.ConnectionReset(), After: after})
	l.run(t, w, next)
	if !*failed {
		t.Error("no write failed: the test is not what it says")
	}
	if diff := cmp.Diff(want, endOf(w)); diff != "" {
		t.Errorf("the end (-only the cloud failed +both):\n%s", diff)
	}
	wantAllNoted(t, w)
	wantRest(t, w)
	t.Logf("%d certificates asked for, history %v", want.Posts, want.History)
}

// failsNext fails the first write of a status or a Secret after the next POST, or the one that follows after so many.
func failsNext(w *testkit.World, skip int, failure testkit.APIFault) (fault testkit.Fault, failed *bool) {
	posts, failed := w.Posts(), new(bool)
	return func(_ int, call testkit.Call) (error, bool) {
		if *failed || w.Posts() == posts || !isDecisive(call) {
			return nil, false
		}
		if skip--; skip >= 0 {
			return nil, false
		}
		*failed = true
		return failure.Err, failure.After
	}, failed
}

// A certificate that was made and whose answer is lost, a status that cannot be told of it, and then a process that
// ends: the intent is all that is left, and tells of it.
func TestACertificateLostOnTheWayIsNotedThoughStatusFailsAndTheProcessEnds(t *testing.T) {
	for _, fault := range []ccesim.FaultName{ccesim.FaultDropAfter, ccesim.FaultHangAfter, ccesim.FaultCutOff} {
		for _, load := range workloads()[:3] {
			for _, failure := range testkit.APIFaults() {
				if failure.Name != "connection reset" && failure.Name != "forbidden" {
					continue // the rest is in the same code
				}
				t.Run(fmt.Sprintf("%s/%s/%s", fault, load.name, failure.Name), func(t *testing.T) {
					t.Parallel()
					w := load.world(t)
					before := w.Posts()
					cloudFails(w, fault)
					next, _ := failsNext(w, 0, failure) // that the pass fails shows that it was hit
					w.Recorder.Reset(next)
					load.steps[0](w)
					if _, err := w.Try("prod-1"); err == nil {
						t.Error("a status that was not written is no error")
					}
					wantPosts(t, w, before+1)
					w.Recorder.Reset(nil)
					w.Restart()
					w.Settle("prod-1")
					wantPosts(t, w, before+2)
					if n := w.Counted("clustercredential_unknown_outcomes_total"); n != 1 {
						t.Errorf("%v unknown outcomes are counted, want 1", n)
					}
					wantConditions(t, w.Get("prod-1"), healthy)
					wantServes(t, w, "prod-1")
					wantAllNoted(t, w)
					wantRest(t, w)
				})
			}
		}
	}
}

// cloudFails makes the next POST fail.
func cloudFails(w *testkit.World, name ccesim.FaultName) {
	w.T.Helper()
	if name != "" { // empty: it does not
		w.Must(w.Sim.Script(ccesim.Fault{Name: name, Pause: 0.2}))
	}
}
