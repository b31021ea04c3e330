// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"testing"
	"time"
)

// Wrong secrets of a key are tried a few times an hour, whoever has them. Who has the right one is not held up by that.
func TestWrongSecretsOfAKeyDoNotAddUp(t *testing.T) {
	b := New(start, 4)
	with := func(secret string) Account {
		return Account{Key: "AK " + secret, Name: "fleet/" + secret, Version: secret, Lock: "AK", PerMinute: Unlimited}
	}
	right := with("right")
	b.Report(start, right, Outcome{Answered: true})
	tried := 0
	for i := range 20 {
		wrong := with(fmt.Sprint("wrong ", i))
		if b.Probe(after(time.Duration(i)*time.Minute), wrong).Hold == None {
			tried++
			b.Report(after(time.Duration(i)*time.Minute), wrong, Outcome{Refused: true})
		}
	}
	if tried != lockTries {
		t.Errorf("%d wrong secrets were tried within 20 minutes, want %d", tried, lockTries)
	}
	if got := b.Probe(after(20*time.Minute), right); got.Hold != None {
		t.Errorf("the right one is held: %+v", got)
	}
	fresh := with("another")
	if got := b.Probe(after(20*time.Minute), fresh); got.Hold != Refused || !got.At.Equal(after(time.Hour)) {
		t.Errorf("one that was never accepted: %+v, want to wait for the first refusal to be an hour old", got)
	}
	if got := b.Probe(after(time.Hour), fresh); got.Hold != None {
		t.Errorf("after an hour: %+v", got)
	}
}

// Somebody who looks for the right secret tries one after the other, and ends with the one that was right before.
func TestASecretThatWasAcceptedIsNotHeldUpByWrongOnesThatCameInItsPlace(t *testing.T) {
	b := New(start, 4)
	with := func(secret string) Account {
		return Account{Key: "AK " + secret, Name: "fleet/a", Version: secret, State: secret, Lock: "AK", PerMinute: Unlimited}
	}
	b.Report(start, with("right"), Outcome{Answered: true})
	for i := range lockTries {
		now, wrong := after(time.Duration(2+i)*time.Minute), with(fmt.Sprint("wrong ", i))
		if got := b.Probe(now, wrong); got.Hold != None {
			t.Fatalf("wrong one %d is held: %+v", i, got)
		}
		b.Report(now, wrong, Outcome{Refused: true})
	}
	if got := b.Probe(after(10*time.Minute), with("wrong again")); got.Hold != Refused {
		t.Errorf("one more wrong one: %+v, want it held", got)
	}
	if got := b.Probe(after(11*time.Minute), with("right")); got.Hold != None {
		t.Errorf("the right one is held: %+v", got)
	}
	b.Leave(after(12*time.Minute), "fleet/a")
	b.Probe(after(12*time.Minute+refusedProbe), Account{Key: "other", Name: "fleet/b", PerMinute: 1})
	if b.accounts["AK right"] != nil {
		t.Error("it is remembered for ever")
	}
}

func TestLocksThatCountNoMoreAreForgotten(t *testing.T) {
	b := New(start, 4)
	for i := range 1000 {
		b.Probe(start, Account{Key: fmt.Sprint(i), Name: "a", Lock: fmt.Sprint(i), PerMinute: 1})
	}
	if n := len(b.locks); n > 2 {
		t.Errorf("%d are remembered", n)
	}
}
