// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
)

const (
	namespace = "fleet"
	projectID = "0123456789abcdef0123456789abcdef"
	region    = "ap-southeast-3"
	latency   = 300 * time.Millisecond
	day       = 24 * time.Hour
)

var quiet = logr.Discard()

// account is a key and its CloudAccount.
type account struct {
	name      string
	limit     int
	key       ccesim.AccessKey
	keys      int // how many it had so far
	suspended time.Time
	resumed   time.Time
	// refused is true while the cloud does not know the key that the Secret holds.
	refused bool
}

// outage is a time in which the cloud answers in one bad way.
type outage struct {
	how   string
	until time.Time
	whose *account // nil: everybody's
}

// world is a fleet, its API server and its cloud, and one process of the operator after another.
type world struct {
	t      *testing.T
	seed   uint64
	scheme *runtime.Scheme
	api    client.WithWatch
	sim    *ccesim.Server
	wire   *wire
	oracle *oracle
	// story decides what happens; only the goroutine of the story uses it.
	story     *rand.Rand
	processes int
	accounts  []*account
	fleet     []*member

	mu      sync.Mutex
	dice    *rand.Rand // decides which requests fail
	process *process   // nil: none runs
	begunAt time.Time  // when process began
	trouble trouble
	outage  outage
	touches int // so many status updates meet a change by somebody else
	spoils  int // so many of the next writes of Secrets fail
	tally   tally
	broken  []string
}

// newWorld makes a fleet of so many credentials over three accounts.
func newWorld(t *testing.T, seed uint64, credentials int) *world {
	w := &world{t: t, seed: seed, story: rand.New(rand.NewPCG(seed, 1)), dice: rand.New(rand.NewPCG(seed, 2))}
	w.tally = newTally()
	w.oracle = newOracle(w)
	var err error
	w.scheme, err = newScheme()
	w.must(err)
	w.api = newAPI(w.scheme)
	for i, limit := range []int{8, 6, 4} {
		a := &account{name: fmt.Sprintf("account-%d", i), limit: limit}
		a.nextKey()
		w.accounts = append(w.accounts, a)
	}
	config := ccesim.Config{
		KeyAlgorithm: ccesim.EC, Latency: latency, Projects: []ccesim.Project{{ID: projectID, Name: region}}, Keys: w.keys(),
	}
	for i := range credentials {
		m := newMember(i, w.accounts[i%len(w.accounts)])
		w.fleet = append(w.fleet, m)
		for _, c := range m.clusters {
			config.Clusters = append(config.Clusters, c)
		}
	}
	w.sim, err = ccesim.New(config)
	w.must(err)
	w.wire = newWire(w.oracle.watching(w.sim))
	for _, a := range w.accounts {
		w.create(a.secret())
		w.create(a.object())
	}
	for _, m := range w.fleet {
		w.create(m.object())
	}
	return w
}

// keys are those that the cloud accepts.
func (w *world) keys() []ccesim.AccessKey {
	var keys []ccesim.AccessKey
	for _, a := range w.accounts {
		keys = append(keys, a.key)
	}
	return keys
}

// nextKey gives the account a key that the cloud does not know yet. It is no real one:
// the simulator accepts what it is told to.
func (a *account) nextKey() {
	a.keys++
	id := fmt.Sprintf("AKTEST%s%04d", strings.ToUpper(strings.ReplaceAll(a.name, "account-", "")), a.keys)
	user := strings.Repeat("f", 31) + a.name[len(a.name)-1:]
	a.key = ccesim.AccessKey{ID: id, Secret: fmt.Sprintf("sk-test-%s-%020d", a.name, a.keys), UserID: user}
}

func (a *account) keySecret() string { return a.name + "-key" }

func (a *account) secret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: a.keySecret()},
		Data:       map[string][]byte{v1alpha1.KeyAccessKey: []byte(a.key.ID), v1alpha1.KeySecretKey: []byte(a.key.Secret)},
	}
}

// object is the CloudAccount. The project of the last one is looked up.
func (a *account) object() *v1alpha1.CloudAccount {
	object := &v1alpha1.CloudAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: a.name},
		Spec: v1alpha1.CloudAccountSpec{
			Region: region,
			Auth:   v1alpha1.Auth{AccessKey: &v1alpha1.SecretKeySource{SecretRef: v1alpha1.SecretReference{Name: a.keySecret()}}},
			Limits: &v1alpha1.Limits{IssuesPerMinute: new(int32(a.limit))},
		},
	}
	if a.limit != 4 {
		object.Spec.ProjectID = projectID
	}
	return object
}

// account finds the account of a credential's spec.
func (w *world) account(name string) *account {
	for _, a := range w.accounts {
		if a.name == name {
			return a
		}
	}
	return nil
}

// member finds a credential by its name.
func (w *world) member(name string) *member {
	for _, m := range w.fleet {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (w *world) create(o client.Object) {
	w.must(w.api.Create(context.Background(), o))
	w.oracle.refresh(o.GetName())
}

// change changes an object as a user would; anew says whether its spec is another one.
func change[T client.Object](w *world, o T, name string, change func(T) (anew bool)) {
	w.must(w.api.Get(context.Background(), key(name), o))
	if change(o) {
		o.SetGeneration(o.GetGeneration() + 1)
	}
	w.must(w.api.Update(context.Background(), o))
	w.oracle.refresh(name)
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// disturb is somebody else who changes an object just before the operator does.
func (w *world) disturb(r request) {
	if r.verb != "update" || r.kind != credentialKind {
		return
	}
	w.mu.Lock()
	touch := w.touches > 0
	if touch {
		w.touches--
		w.tally.conflicts++
	}
	w.mu.Unlock()
	if !touch {
		return
	}
	cc := &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: r.name}}
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{"touched":"%d"}}}`, time.Now().UnixNano())
	_ = w.api.Patch(context.Background(), cc, client.RawPatch(types.MergePatchType, patch)) // it may be gone
}

// running is the process that runs; nil: none.
func (w *world) running() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process
}

// begun is when the process that runs began.
func (w *world) begun() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begunAt
}

// fail notes a promise that was broken. The first few are enough to understand.
func (w *world) fail(format string, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf("%s: %s", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, values...)))
}

func (w *world) isBroken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.broken) > 0
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatalf("seed %d, %s: %v", w.seed, time.Now().UTC().Format(time.RFC3339), err)
	}
}

// watching tells the oracle of each certificate that is asked for.
func (o *oracle) watching(cloud http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/clustercert") {
			cloud.ServeHTTP(rw, r)
			return
		}
		p := o.asked(r.URL.Path)
		n := &named{rw, p, o}
		cloud.ServeHTTP(n, r)
		n.Unwrap()
	})
}

// named notes the cloud's id of a call before the answer is on its way.
type named struct {
	http.ResponseWriter
	post   *post
	oracle *oracle
}

// WriteHeader notes it.
func (n *named) WriteHeader(status int) {
	n.oracle.name(n.post, n.Header().Get("X-Request-Id"))
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the simulator flush, and break connections off.
func (n *named) Unwrap() http.ResponseWriter {
	n.oracle.name(n.post, n.Header().Get("X-Request-Id"))
	return n.ResponseWriter
}
