// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
)

// fetcher is a way to keys: the n-th one is named n and lives as long as life says.
type fetcher struct {
	calls atomic.Int64
	takes time.Duration
	life  time.Duration
	err   *issuer.Error // nil: a key
}

func (f *fetcher) fetch(ctx context.Context) (temporaryKey, error) {
	n := f.calls.Add(1)
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return temporaryKey{}, ctx.Err()
	}
	if f.err != nil {
		return temporaryKey{}, f.err
	}
	key := issuer.Key{ID: fmt.Sprint("CANARYACCESSKEY-", n), Secret: issuer.Sensitive("canary-secret"), SecurityToken: issuer.Sensitive("canary-security-token")}
	return temporaryKey{key: key, ends: time.Now().Add(f.life)}, nil
}

func (f *fetcher) source() *source { return &source{method: issuer.PodIdentity, fetch: f.fetch} }

// mustHave asks for a key, which must be the n-th one, in no time.
func mustHave(t *testing.T, s *source, n int) {
	t.Helper()
	before := time.Now()
	key, err := s.key(t.Context())
	if err != nil || key.ID != fmt.Sprint("CANARYACCESSKEY-", n) {
		t.Fatalf("key %q, %v, not the key %d", key.ID, err, n)
	}
	if waited := time.Since(before); waited > 0 {
		t.Errorf("waited for %v", waited)
	}
	synctest.Wait()
}

func mustFail(t *testing.T, s *source) {
	t.Helper()
	key, err := s.key(t.Context())
	if err == nil {
		t.Fatalf("key %s", key.ID)
	}
	e := fault(t, err)
	if e.Kind != issuer.Unavailable || !strings.Contains(e.Message, "podIdentity gives no key") || !strings.Contains(e.Message, podIdentityURI) {
		t.Errorf("%v %+v", e.Kind, e)
	} else {
		e.Message = "changed by who got it"
	}
}

func TestManyCallersWaitForOneFirstKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{takes: 5 * time.Second, life: time.Hour}
		s := f.source()
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if key, err := s.key(t.Context()); err != nil || key.ID != "CANARYACCESSKEY-1" {
					t.Errorf("%q %v", key.ID, err)
				}
			})
		}
		group.Wait()
		if n := f.calls.Load(); n != 1 {
			t.Errorf("%d keys were fetched", n)
		}
	})
}

func TestAKeyIsReplacedAheadOfItsEndBesideTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{life: 2 * time.Hour}
		s := f.source()
		if _, err := s.key(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Hour - refreshAhead)
		mustHave(t, s, 1)
		if n := f.calls.Load(); n != 1 {
			t.Errorf("fetched %d times while more than 40 minutes are left", n)
		}
		f.takes = 10 * time.Second
		time.Sleep(time.Second)
		mustHave(t, s, 1)
		mustHave(t, s, 1)
		time.Sleep(f.takes + time.Second)
		mustHave(t, s, 2)
		if n := f.calls.Load(); n != 2 {
			t.Errorf("fetched %d times", n)
		}
	})
}

func TestAKeyIsUsedToItsEndWhateverItsRefreshesBring(t *testing.T) {
	for name, change := range map[string]func(*fetcher){
		"refusals": func(f *fetcher) { f.err = noKey(issuer.PodIdentity, "it was refused") },
		"silence":  func(f *fetcher) { f.takes = time.Hour; f.err = noKey(issuer.PodIdentity, "it was refused") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fetcher{life: time.Hour}
				s := f.source()
				if _, err := s.key(t.Context()); err != nil {
					t.Fatal(err)
				}
				change(f)
				time.Sleep(time.Hour - refreshAhead)
				for range 40*60 - 1 {
					time.Sleep(time.Second)
					mustHave(t, s, 1)
				}
				if n := f.calls.Load(); n < 30 || n > 41 {
					t.Errorf("tried %d times in 40 minutes", n-1)
				}
				time.Sleep(2 * refreshPause)
				f.takes = 0
				f.err = noKey(issuer.PodIdentity, "it was refused")
				mustFail(t, s)
				f.err = nil
				time.Sleep(refreshPause)
				if _, err := s.key(t.Context()); err != nil {
					t.Errorf("it does not recover: %v", err)
				}
			})
		})
	}
}

func TestAKeyThatEndedUnusedIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{life: time.Hour}
		s := f.source()
		if _, err := s.key(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		mustHave(t, s, 2)
		time.Sleep(24 * time.Hour)
		f.err = noKey(issuer.PodIdentity, "it was refused")
		mustFail(t, s)
	})
}

func TestAFailureIsNotRepeatedWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{err: noKey(issuer.PodIdentity, "it was refused")}
		s := f.source()
		for range 100 {
			mustFail(t, s)
		}
		if n := f.calls.Load(); n != 1 {
			t.Errorf("tried %d times", n)
		}
		time.Sleep(refreshPause)
		mustFail(t, s)
		if n := f.calls.Load(); n != 2 {
			t.Errorf("tried %d times in a minute", n)
		}
	})
}

func TestCallersLeaveInTimeAndTheRefreshGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{takes: 10 * time.Second, life: time.Hour}
		s := f.source()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.key(ctx)
		if e := fault(t, err); e.Kind != issuer.Unavailable || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(e.Message, "in time") {
			t.Errorf("%v %+v", e.Kind, e)
		}
		time.Sleep(10 * time.Second)
		mustHave(t, s, 1)
	})
}

func TestARefreshThatHangsIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{takes: time.Hour}
		s := f.source()
		before := time.Now()
		_, err := s.key(t.Context())
		if e := fault(t, err); e.Kind != issuer.Unavailable {
			t.Errorf("%v %+v", e.Kind, e)
		}
		if took := time.Since(before); took != refreshTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestKeysOfAShortLifeAreNotFetchedForEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{life: 15 * time.Minute}
		s := f.source()
		for range 60 * 60 {
			if _, err := s.key(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := f.calls.Load(); n > 61 {
			t.Errorf("%d keys in an hour", n)
		}
	})
}

func TestAKeyThatIsBornDeadIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { mustFail(t, (&fetcher{life: 0}).source()) })
}

func TestAKeyThatTheCloudRefusesIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fetcher{life: 24 * time.Hour}
		s := f.source()
		first, err := s.key(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.doubt(first)
		mustHave(t, s, 1) // another one would fare no better
		time.Sleep(refreshPause)
		s.doubt(issuer.Key{ID: "one before it"})
		mustHave(t, s, 1)
		s.doubt(first)
		mustHave(t, s, 2)
	})
}

func TestASourceShowsNoKey(t *testing.T) {
	s := (&fetcher{life: time.Hour}).source()
	if _, err := s.key(context.Background()); err != nil {
		t.Fatal(err)
	}
	assertNoCanary(t, printed(s))
	assertNoCanary(t, printed(&login{last: &attempt{body: []byte("canary-remote")}}))
}
