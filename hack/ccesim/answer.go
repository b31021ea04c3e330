// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// answer is what a call shall get; nothing of it is on the wire yet.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

// delivery is what became of an answer.
type delivery struct {
	status   int  // 0: no status line was sent
	complete bool // the whole answer was handed to the network
}

func ok(v any) answer { return answer{status: http.StatusOK, body: encode(v)} }

func (c *call) refuse(e *apiError) answer {
	return answer{status: e.status, body: e.body(c.requestID)}
}

// deliver writes the answer, or does to it what the fault of the call says.
func (s *Server) deliver(ctx context.Context, c *call, a answer) delivery {
	if !wait(ctx, time.Duration(s.latency.Load())) {
		return delivery{}
	}
	if c.fault.deliver != nil {
		return c.fault.deliver(c, a)
	}
	return c.write(a)
}

func (c *call) write(a answer) delivery {
	c.writeHeader(a, len(a.body))
	last := max(len(a.body)-1, 0)
	if _, err := c.w.Write(a.body[:last]); err != nil {
		return delivery{status: a.status}
	}
	return c.end(a.status, a.body[last:])
}

// end writes the last byte of an answer. The ledger is written before: who has
// read an answer finds it there.
func (c *call) end(status int, rest []byte) delivery {
	d := delivery{status: status, complete: c.r.Context().Err() == nil}
	c.settle(d)
	if _, err := c.w.Write(rest); err != nil || http.NewResponseController(c.w).Flush() != nil {
		d.complete = false
	}
	return d
}

func (c *call) writeHeader(a answer, length int) {
	h := c.w.Header()
	if length > 0 {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(length))
	}
	for name, value := range a.header {
		h.Set(name, value)
	}
	c.w.WriteHeader(a.status)
}

// wait reports whether the client was still there at its end.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
