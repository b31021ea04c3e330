// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Forever is the value of Fault.Times for a fault that never wears off.
const Forever = -1

// Fault is something that goes wrong with the calls that it matches. It comes
// into play after authentication and the write limit, which stay as strict as
// they are.
type Fault struct {
	// Name is one of those that Faults lists.
	Name FaultName `json:"name"`
	// Op that is matched, in both APIs. Unset: OpIssue.
	Op Op `json:"op,omitempty"`
	// Cluster ID that is matched. Unset: any.
	Cluster string `json:"cluster,omitempty"`
	// AccessKey that is matched. Unset: any.
	AccessKey string `json:"accessKey,omitempty"`
	// Times is how many calls it hits, at least 1, or Forever. Unset: 1.
	Times int `json:"times,omitempty"`
	// RetryAfter is the header's value in seconds, as the real API sends it:
	// with a fraction. At least 0; only for faults that answer with an error
	// status. Unset: no header.
	RetryAfter float64 `json:"retryAfter,omitempty"`
	// Dialect of an error body. Unset: the one that is documented for it.
	Dialect Dialect `json:"dialect,omitempty"`
	// Pause in seconds of real time: before the answer (FaultDelay) or between
	// two bytes (FaultSlowDrip). At least 0. Unset: 1 and 0.05.
	Pause float64 `json:"pause,omitempty"`
}

// Script appends faults to the queue. A call is hit by the first one in the
// queue that matches. If one of the faults is not valid, none is appended.
func (s *Server) Script(faults ...Fault) error {
	if err := s.script.add(faults); err != nil {
		return fmt.Errorf("ccesim: %w", err)
	}
	return nil
}

// ClearScript empties the queue. Calls that were hit already stay so.
func (s *Server) ClearScript() { s.script.clear() }

// Scripted returns the faults that are left, with Times as left.
func (s *Server) Scripted() []Fault { return s.script.left() }

// script is the queue of faults.
type script struct {
	kinds map[FaultName]faultKind
	mu    sync.Mutex
	queue []Fault
}

func newScript() *script {
	s := &script{kinds: map[FaultName]faultKind{}}
	for _, k := range faultKinds() {
		s.kinds[k.name] = k
	}
	return s
}

func (s *script) add(faults []Fault) error {
	var added []Fault
	for i, f := range faults {
		f.Op, f.Times = cmp.Or(f.Op, OpIssue), cmp.Or(f.Times, 1)
		if err := s.check(f); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
		added = append(added, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, added...)
	return nil
}

func (s *script) check(f Fault) error {
	kind, known := s.kinds[f.Name]
	switch {
	case !known:
		return fmt.Errorf("there is no fault %q", f.Name)
	case !f.Op.known():
		return fmt.Errorf("there is no operation %q", f.Op)
	case kind.onlyCertificates() && f.Op != OpIssue:
		return fmt.Errorf("%q changes a certificate, so it fits %q only", f.Name, OpIssue)
	case f.Times < 1 && f.Times != Forever:
		return fmt.Errorf("times is %d; use at least 1, or %d for ever", f.Times, Forever)
	case f.RetryAfter < 0 || f.Pause < 0:
		return errors.New("retryAfter and pause are at least 0")
	case f.RetryAfter > 0 && !kind.status:
		return fmt.Errorf("%q has no Retry-After", f.Name)
	case f.Dialect != "" && f.Dialect != DialectCCE && f.Dialect != DialectGateway && f.Dialect != DialectBoth:
		return fmt.Errorf("dialect %q is none of %q, %q, %q", f.Dialect, DialectCCE, DialectGateway, DialectBoth)
	}
	return nil
}

func (s *script) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = nil
}

func (s *script) left() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault{}, s.queue...)
}

// take returns the fault that hits a call, or a zero one.
func (s *script) take(c *call) firedFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.queue {
		if !f.matches(c) {
			continue
		}
		if f.Times != Forever {
			s.queue[i].Times--
		}
		if s.queue[i].Times == 0 {
			s.queue = slices.Delete(s.queue, i, i+1)
		}
		return s.kinds[f.Name].fire(f)
	}
	return firedFault{}
}

func (f Fault) matches(c *call) bool {
	return f.Op == c.route.op &&
		(f.Cluster == "" || f.Cluster == c.route.cluster) &&
		(f.AccessKey == "" || f.AccessKey == c.who.accessKey)
}
