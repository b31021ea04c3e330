// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody is what a request may carry. The documented bodies are below 100
// bytes; the gateway refuses large ones with 413.
const maxBody = 1 << 20

// call is one request on its way through the server.
type call struct {
	w         http.ResponseWriter
	r         *http.Request
	body      []byte
	now       time.Time // by Config.Clock, read once
	requestID string
	route     route
	who       principal
	fault     firedFault // zero: none
	entry     int        // position in the ledger; noEntry: not recorded
	settle    func(delivery)
}

// receive names, counts and records a call before anything is decided, so that
// a call that is never answered is seen too.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, rt route) *call {
	c := &call{w: w, r: r, now: s.clock(), requestID: newRequestID(), route: rt, entry: noEntry}
	w.Header().Set("X-Request-Id", c.requestID)
	s.requests.add(c.route.op)
	if c.route.op.writes() {
		c.entry = s.ledger.open(Entry{
			Time: c.now, Op: c.route.op, Autopilot: c.route.autopilot, RequestID: c.requestID,
			Project: c.route.project, Cluster: c.route.cluster,
		})
	}
	c.settle = func(d delivery) { s.ledger.finish(c.entry, d) }
	return c
}

func (c *call) readBody() *apiError {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return bodyTooLarge()
	case err != nil:
		return badRequest("the body could not be read")
	}
	c.body = body
	return nil
}

// newRequestID has the form of the real ones: 32 hexadecimal digits.
func newRequestID() string { return randomHex(16) }

// randomHex has twice as many digits as bytes are asked for.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says its document
	return hex.EncodeToString(b)
}
