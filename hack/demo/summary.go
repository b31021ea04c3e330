// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// wanted is what must have happened to each ClusterCredential in the meantime.
var wanted = map[string]struct {
	trigger v1alpha1.Trigger
	times   int // certificates for this reason, at least
	secrets int // different Secrets that the client saw
}{
	"shop":    {v1alpha1.TriggerMissing, 1, 2}, // before and after it was deleted
	"search":  {v1alpha1.TriggerExpiry, 2, 1},
	"billing": {v1alpha1.TriggerRequest, 1, 1},
}

// result is what was seen.
type result struct {
	asked    int // POSTs that the cloud got
	outcomes []outcome
}

// outcome is what became of one ClusterCredential.
type outcome struct {
	name     string
	revision int64
	triggers map[v1alpha1.Trigger]int // certificates by why they were asked for
	probes   stack.Probes
}

// count reads everything once more, when the probers have stopped.
func (p *play) count(ctx context.Context) (result, error) {
	for _, prober := range p.probers {
		prober.Stop()
	}
	credentials, err := p.list(ctx)
	if err != nil {
		return result{}, err
	}
	ledger, err := p.stack.Sim.Ledger()
	if err != nil {
		return result{}, err
	}
	r := p.result(credentials)
	r.asked = len(ledger)
	return r, nil
}

// result puts together what the status and the clients say.
func (p *play) result(credentials []v1alpha1.ClusterCredential) result {
	var r result
	for _, cc := range credentials {
		o := outcome{name: cc.Name, revision: cc.Status.Revision, triggers: map[v1alpha1.Trigger]int{}, probes: p.probers[cc.Name].Seen()}
		for _, entry := range cc.Status.History {
			o.triggers[entry.Trigger]++
		}
		r.outcomes = append(r.outcomes, o)
	}
	return r
}

// missing lists what has not happened.
func (r result) missing() []string {
	var found []string
	for _, o := range r.outcomes {
		want := wanted[o.name]
		if got := o.triggers[want.trigger]; got < want.times {
			found = append(found, fmt.Sprintf("%s: %d new certificates for the reason %s, want %d", o.name, got, want.trigger, want.times))
		}
	}
	return found
}

// problems lists what was not as it should be.
func (r result) problems() []string {
	found := r.missing()
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	published := 0
	for _, o := range r.outcomes {
		published += int(o.revision)
		if failed := o.probes.Failures; len(failed) > 0 {
			report("%s: %d of %d logins failed, the first: %s", o.name, len(failed), o.probes.Attempts, failed[0].Reason)
		}
		if got := len(o.probes.UIDs); got != wanted[o.name].secrets {
			report("%s: the client saw %d different Secrets, want %d", o.name, got, wanted[o.name].secrets)
		}
	}
	if len(r.outcomes) != len(wanted) {
		report("%d ClusterCredentials, want %d", len(r.outcomes), len(wanted))
	}
	if published != r.asked {
		report("%d certificates asked for, %d published", r.asked, published)
	}
	return found
}

// summarize says what was seen, and returns the exit code.
func (p *play) summarize(r result) int {
	p.screen.keep()
	p.screen.print(r.text())
	problems := r.problems()
	for _, problem := range problems {
		p.screen.print("  WRONG: " + problem)
	}
	if len(problems) > 0 {
		return 1
	}
	p.screen.print("  Everything was stopped again. Next: the README says how to run it in your own cluster.")
	return 0
}

func (r result) text() string {
	var logins, failed, rotated, published, repaired, requested int
	for _, o := range r.outcomes {
		published += int(o.revision)
		logins += o.probes.Attempts
		failed += len(o.probes.Failures)
		rotated += o.triggers[v1alpha1.TriggerExpiry]
		repaired += o.triggers[v1alpha1.TriggerMissing]
		requested += o.triggers[v1alpha1.TriggerRequest]
	}
	return strings.Join([]string{
		fmt.Sprintf("  certificates   %d asked for, %d published", r.asked, published),
		fmt.Sprintf("  rotations      %d before expiry, %d on request, %d to repair a deleted Secret", rotated, requested, repaired),
		fmt.Sprintf("  logins         %d with the newest Secret, %d failed", logins, failed),
		"  Secrets        " + r.secrets(),
	}, "\n")
}

// secrets tells how many were replaced: none, but for the one that was deleted.
func (r result) secrets() string {
	replaced := -len(r.outcomes)
	for _, o := range r.outcomes {
		replaced += len(o.probes.UIDs)
	}
	return fmt.Sprintf("%d, written in place at every rotation; %d made again (the deleted one)", len(r.outcomes), replaced)
}
