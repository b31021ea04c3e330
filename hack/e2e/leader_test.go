// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/stack"
)

// takeover is longer than the life of a lease that nobody renews (15 s), and the pauses between looks at it.
const takeover = 40 * time.Second

func works(m *stack.Manager) bool { return strings.Contains(m.Log(), "Starting workers") }

func TestTheStandbyTakesOverAndAsksForNothing(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"lead-1", "lead-2"}, elects: true})
	w.apply(accountYAML())
	leader := w.startManager("--leader-elect")
	w.eventually(takeover, func() error {
		if !works(leader) {
			return fmt.Errorf("the only manager does not lead")
		}
		return nil
	})
	standby := w.startManager("--leader-elect")
	w.apply(credentialYAML("lead-1", "lead-1"), credentialYAML("lead-2", "lead-2"))
	w.waitReady("lead-1", "lead-2")
	w.eventually(eventTime, func() error { return w.wantEvent("lead-1", "Issued", "") })
	w.eventually(eventTime, func() error { return w.wantEvent("lead-2", "Issued", "") })
	w.eventually(eventTime, func() error {
		if n := w.kubectl("get", "cloudaccount", theAccount, "-o", "jsonpath={.status.credentials}"); n != "2" {
			return fmt.Errorf("the account counts %q credentials", n)
		}
		return nil
	})
	if works(standby) {
		t.Error("both managers work")
	}

	begin := w.requestsSoFar()
	w.must(leader.Kill())
	w.eventually(takeover, func() error {
		if !works(standby) {
			return fmt.Errorf("the standby does not take over")
		}
		return nil
	})
	w.throughout(5*time.Second, func() error {
		if writes := w.changesSince(begin); len(writes) > 0 {
			return fmt.Errorf("the new leader wrote, though nothing was due:\n%s", show(writes))
		}
		return nil
	})
	w.wantPosts(1, "lead-1")
	w.wantPosts(1, "lead-2")

	// It works in earnest, too.
	before := w.serial("lead-1")
	w.apply(credentialYAML("lead-1", "lead-1", "  validity: {days: 7}"))
	w.eventually(eventTime, func() error {
		if w.serial("lead-1") == before {
			return fmt.Errorf("the new leader does not carry out a change")
		}
		return nil
	})
}
