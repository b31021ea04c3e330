// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/hack/realkube"
)

func TestMain(m *testing.M) { os.Exit(realkube.Main(m, realkube.Options{})) }

// place is a namespace of its own with a keyring, whose requests are looked at.
type place struct {
	*Keyring
	client.Client
	namespace string
	wire      *wire
	changes   chan types.NamespacedName
}

func newPlace(t *testing.T) place {
	t.Helper()
	plain, err := client.New(realkube.Shared(t).Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "keyring-"}}
	if err := plain.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	p := place{Client: plain, namespace: namespace.Name, wire: &wire{}, changes: make(chan types.NamespacedName, 100)}
	config := realkube.Shared(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { p.wire.next = next; return p.wire })
	p.Keyring = newKeyring(t, config, func(owner types.NamespacedName) { p.changes <- owner })
	return p
}

func newKeyring(t *testing.T, config *rest.Config, changed func(types.NamespacedName)) *Keyring {
	t.Helper()
	watches, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	live, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := New(watches, live, changed)
	t.Cleanup(k.Close)
	return k
}

func (p place) name(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: p.namespace, Name: name}
}

// write stores a Secret, and returns the version that a keyring tells of it.
func (p place) write(t *testing.T, name, value string) string {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}, Data: map[string][]byte{"secretKey": []byte(value)}}
	err := p.Client.Patch(t.Context(), secret, client.RawPatch(types.ApplyYAMLPatchType, fmt.Appendf(nil,
		`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q},"stringData":{"secretKey":%q}}`, name, value)), client.FieldOwner("test"), client.ForceOwnership)
	if err != nil {
		t.Fatal(err)
	}
	return string(secret.UID) + "/" + secret.ResourceVersion
}

func (p place) remove(t *testing.T, name string) {
	t.Helper()
	if err := p.Client.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}}); err != nil {
		t.Fatal(err)
	}
}

// wants gets the Secret and holds what is in it.
func (p place) wants(t *testing.T, owner, name, value, version string) {
	t.Helper()
	got, err := p.Keyring.Get(t.Context(), p.name(owner), p.name(name))
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Data["secretKey"]) != value || got.Version != version {
		t.Errorf("%s of %s is version %s, want %s; the value fits: %v", name, owner, got.Version, version, string(got.Data["secretKey"]) == value)
	}
}

func (p place) wantsNone(t *testing.T, owner, name string) {
	t.Helper()
	if got, err := p.Keyring.Get(t.Context(), p.name(owner), p.name(name)); !errors.Is(err, ErrMissing) || got.Data != nil {
		t.Errorf("%s of %s: version %s, %v; want ErrMissing", name, owner, got.Version, err)
	}
}

// told takes the next calls of changed, and holds that they are for these owners.
func (p place) told(t *testing.T, owners ...string) {
	t.Helper()
	want := map[types.NamespacedName]bool{}
	for _, owner := range owners {
		want[p.name(owner)] = true
	}
	for range owners {
		select {
		case owner := <-p.changes:
			if !want[owner] {
				t.Fatalf("%s was told, want each of %v once", owner, owners)
			}
			delete(want, owner)
		case <-time.After(30 * time.Second):
			t.Fatalf("nobody told %v", want)
		}
	}
}

// wire notes what goes to the API server about Secrets.
type wire struct {
	next  http.RoundTripper
	mu    sync.Mutex
	wide  []string // lists and watches of more than one Secret
	reads int      // of a Secret with its data
	open  atomic.Int32
}

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if !strings.Contains(request.URL.Path, "/secrets") {
		return w.next.RoundTrip(request) // what kinds there are
	}
	query := request.URL.Query()
	isOne := strings.Contains(request.URL.Path, "/secrets/")
	w.mu.Lock()
	if isOne {
		w.reads++
	} else if one, named := strings.CutPrefix(query.Get("fieldSelector"), "metadata.name="); !named || one == "" || strings.ContainsAny(one, ",!") || !strings.Contains(request.URL.Path, "/namespaces/") {
		w.wide = append(w.wide, request.URL.String())
	}
	if !isOne && !strings.Contains(request.Header.Get("Accept"), "as=PartialObjectMetadata") {
		w.wide = append(w.wide, "with data: "+request.URL.String())
	}
	w.mu.Unlock()
	response, err := w.next.RoundTrip(request)
	if err == nil && query.Get("watch") == "true" {
		w.open.Add(1)
		response.Body = &body{ReadCloser: response.Body, closed: sync.OnceFunc(func() { w.open.Add(-1) })}
	}
	return response, err
}

type body struct {
	io.ReadCloser
	closed func()
}

func (b *body) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

func (w *wire) readCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reads
}

// check holds that nothing but single Secrets was asked for, and how many watches are open.
func (p place) check(t *testing.T, watches int32) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		return p.wire.open.Load() == watches, nil
	})
	if err != nil {
		t.Errorf("%d watches are open, want %d", p.wire.open.Load(), watches)
	}
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	if p.wire.wide != nil {
		t.Errorf("asked for more than the metadata of one Secret: %v", p.wire.wide)
	}
}

func TestAKeyIsReadOncePerVersion(t *testing.T) {
	p := newPlace(t)
	first := p.write(t, "keys", "one")
	for range 10 {
		p.wants(t, "prod", "keys", "one", first)
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { p.wants(t, "prod", "keys", "one", first) })
	}
	group.Wait()
	if got := p.wire.readCount(); got != 1 {
		t.Errorf("%d reads of one version", got)
	}
	second := p.write(t, "keys", "two")
	p.told(t, "prod")
	for range 10 {
		p.wants(t, "prod", "keys", "two", second)
	}
	if got := p.wire.readCount(); got != 2 {
		t.Errorf("%d reads of two versions", got)
	}
	p.check(t, 1)
}

// The first list is no change: whoever asked waits for it. The next event is the change itself.
func TestOnlyAChangeIsTold(t *testing.T) {
	p := newPlace(t)
	p.write(t, "other", "x")
	p.wants(t, "prod", "keys", "one", p.write(t, "keys", "one"))
	p.write(t, "other", "y") // named by nobody
	second := p.write(t, "keys", "two")
	p.told(t, "prod")
	p.wants(t, "prod", "keys", "two", second)
	third := p.write(t, "keys", "three")
	p.told(t, "prod")
	p.wants(t, "prod", "keys", "three", third)
	p.Drop(p.name("prod"))
	p.check(t, 0)
	if left := len(p.changes); left != 0 {
		t.Errorf("%d more were told", left)
	}
}

func TestASecretComesAndGoes(t *testing.T) {
	p := newPlace(t)
	p.wantsNone(t, "prod", "keys")
	p.wantsNone(t, "prod", "keys")
	first := p.write(t, "keys", "one")
	p.told(t, "prod")
	p.wants(t, "prod", "keys", "one", first)
	p.remove(t, "keys")
	p.told(t, "prod")
	p.wantsNone(t, "prod", "keys")
	second := p.write(t, "keys", "one")
	p.told(t, "prod")
	p.wants(t, "prod", "keys", "one", second)
	if first == second {
		t.Error("another Secret of the same name has the same version")
	}
	p.check(t, 1)
}

func TestTwoAccountsShareAWatch(t *testing.T) {
	p := newPlace(t)
	first := p.write(t, "keys", "one")
	p.wants(t, "prod", "keys", "one", first)
	p.wants(t, "test", "keys", "one", first)
	p.check(t, 1)
	if got := p.wire.readCount(); got != 1 {
		t.Errorf("%d reads", got)
	}
	second := p.write(t, "keys", "two")
	p.told(t, "prod", "test")
	p.wants(t, "prod", "keys", "two", second)
	p.wants(t, "test", "keys", "two", second)
	p.Drop(p.name("prod"))
	p.Drop(p.name("prod"))
	p.write(t, "keys", "three")
	p.told(t, "test")
	p.check(t, 1)
	p.Drop(p.name("test"))
	p.check(t, 0)
}

func TestAnAccountThatNamesAnotherSecretLeavesTheFirst(t *testing.T) {
	p := newPlace(t)
	one, two := p.write(t, "one", "one"), p.write(t, "two", "two")
	p.wants(t, "prod", "one", "one", one)
	p.wants(t, "prod", "two", "two", two)
	p.check(t, 1)
	p.write(t, "one", "changed")
	next := p.write(t, "two", "changed")
	p.told(t, "prod")
	p.wants(t, "prod", "two", "changed", next)
	p.Close()
	p.check(t, 0)
	if left := len(p.changes); left != 0 {
		t.Errorf("%d more were told", left)
	}
}

func TestADroppedKeyIsReadAgain(t *testing.T) {
	p := newPlace(t)
	first := p.write(t, "keys", "one")
	p.wants(t, "prod", "keys", "one", first)
	p.Drop(p.name("prod"))
	p.Drop(p.name("never known"))
	second := p.write(t, "keys", "two")
	p.wants(t, "prod", "keys", "two", second)
	if got := p.wire.readCount(); got != 2 {
		t.Errorf("%d reads, want 2", got)
	}
	p.check(t, 1)
}

func TestNoGoroutineStaysBehind(t *testing.T) {
	p := newPlace(t)
	for i := range 20 {
		p.write(t, fmt.Sprint("keys-", i), "x")
	}
	names := func() int { // goroutines of informers
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 2); err != nil {
			t.Fatal(err)
		}
		return strings.Count(profile.String(), "sharedIndexInformer).Run")
	}
	cycle := func() (base int) {
		for i := range 20 {
			if _, err := p.Keyring.Get(t.Context(), p.name(fmt.Sprint("account-", i)), p.name(fmt.Sprint("keys-", i))); err != nil {
				t.Fatal(err)
			}
		}
		p.check(t, 20)
		for i := range 20 {
			p.Drop(p.name(fmt.Sprint("account-", i)))
		}
		p.check(t, 0)
		return runtime.NumGoroutine()
	}
	cycle() // connections stay open for the next
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) { return names() == 0, nil })
	base := runtime.NumGoroutine()
	if err != nil {
		t.Fatalf("%d informers run", names())
	}
	cycle()
	err = wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) { return runtime.NumGoroutine() <= base, nil })
	if err != nil {
		t.Errorf("%d goroutines, before it were %d", runtime.NumGoroutine(), base)
	}
}

// Many accounts, Secrets that change, names that move: no race, and in the end every
// account sees what stands.
func TestManyAtOnce(t *testing.T) {
	p := newPlace(t)
	drained, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drained)
		for {
			select {
			case <-p.changes:
			case <-stop:
				return
			}
		}
	}()
	for i := range 3 {
		p.write(t, fmt.Sprint("keys-", i), "x")
	}
	var group sync.WaitGroup
	for owner := range 6 {
		group.Go(func() {
			for i := range 40 {
				_, err := p.Keyring.Get(t.Context(), p.name(fmt.Sprint("account-", owner)), p.name(fmt.Sprint("keys-", (owner+i/10)%3)))
				if _, unread := errors.AsType[*Unread](err); err != nil && !unread { // its watch may have been dropped meanwhile
					t.Error(err)
				}
				if i%20 == 19 {
					p.Drop(p.name(fmt.Sprint("account-", owner)))
				}
			}
		})
	}
	versions := map[int]string{}
	for i := range 30 {
		versions[i%3] = p.write(t, fmt.Sprint("keys-", i%3), fmt.Sprint("value-", i))
	}
	group.Wait()
	for i := range 3 {
		name := fmt.Sprint("keys-", i)
		err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
			got, err := p.Keyring.Get(ctx, p.name("account-last"), p.name(name))
			return got.Version == versions[i], err
		})
		if err != nil {
			t.Errorf("%s never shows what stands: %v", name, err)
		}
	}
	close(stop)
	<-drained
	p.Close()
	p.check(t, 0)
}

func TestAnAPIServerThatDoesNotAnswerIsToldInTime(t *testing.T) {
	config := &rest.Config{Host: "https://127.0.0.1:1", TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	k := newKeyring(t, config, func(types.NamespacedName) {})
	name := types.NamespacedName{Namespace: "fleet", Name: "keys"}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := k.Get(ctx, name, name); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a caller in a hurry: %v", err)
	}
	for range 2 { // the second does not wait any more
		_, err := k.Get(t.Context(), name, name)
		if _, unread := errors.AsType[*Unread](err); !unread || errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "fleet/keys") {
			t.Errorf("got %v", err)
		}
	}
	begin := time.Now()
	if _, _ = k.Get(t.Context(), name, name); time.Since(begin) > syncTimeout/2 {
		t.Errorf("a caller waits %v for a watch that is long late", time.Since(begin))
	}
}

// gate holds every request until it is opened.
type gate struct {
	next http.RoundTripper
	open chan struct{}
}

func (g gate) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case <-g.open:
		return g.next.RoundTrip(request)
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// Whoever left without an answer is woken when the watch comes, whether it shows a Secret or none.
func TestWhoeverLeftWithoutAnAnswerIsWoken(t *testing.T) {
	p := newPlace(t)
	version := p.write(t, "keys", "one")
	for name, want := range map[string]string{"keys": version, "none": ""} {
		config, open := realkube.Shared(t).Config(), make(chan struct{})
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return gate{next, open} })
		woken := make(chan types.NamespacedName, 10)
		k := newKeyring(t, config, func(owner types.NamespacedName) { woken <- owner })
		_, err := k.Get(t.Context(), p.name("prod"), p.name(name))
		if _, unread := errors.AsType[*Unread](err); !unread {
			t.Fatalf("got %v, want it unread", err)
		}
		close(open)
		select {
		case owner := <-woken:
			if owner != p.name("prod") {
				t.Errorf("%s was woken", owner)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nobody was woken")
		}
		if got, err := k.Get(t.Context(), p.name("prod"), p.name(name)); got.Version != want || (err != nil) != (want == "") {
			t.Errorf("%s: got version %q, %v; want %q", name, got.Version, err, want)
		}
	}
}

// failing is a reader whose every answer is an error that quotes something.
type failing struct{ client.Reader }

func (failing) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("canary")
}

func TestAFailedReadIsNotQuotedAndNotKept(t *testing.T) {
	p := newPlace(t)
	version := p.write(t, "keys", "one")
	live := p.Keyring.live
	p.Keyring.live = failing{}
	_, err := p.Keyring.Get(t.Context(), p.name("prod"), p.name("keys"))
	if err == nil || errors.Is(err, ErrMissing) || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "read Secret "+p.namespace+"/keys") {
		t.Errorf("got %v", err)
	}
	p.Keyring.live = live
	p.wants(t, "prod", "keys", "one", version)
}

func TestAKeyIsKeptOnlyForTheVersionThatTheWatchShows(t *testing.T) {
	r := &ring{version: "uid/5"}
	r.keep(Secret{Version: "uid/6", Data: map[string][]byte{}})
	if _, kept := r.kept("uid/6"); kept {
		t.Error("a version is kept that the watch has not shown")
	}
	r.keep(Secret{Version: "uid/5"})
	if _, kept := r.kept("uid/5"); !kept {
		t.Error("the version that the watch shows is not kept")
	}
	told := 0
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: "uid", ResourceVersion: "6"}}
	for range 3 {
		r.show(object, func() { told++ })
	}
	if _, kept := r.kept("uid/5"); kept || r.secret.Version != "" || told != 1 {
		t.Errorf("after another version: kept %v, told %d times", kept, told)
	}
	r.show(nil, func() { told++ })
	if r.version != "" || told != 2 {
		t.Errorf("after it went: version %q, told %d times", r.version, told)
	}
	if versionOf("no object") != "" {
		t.Error("what is no object has a version")
	}
}
