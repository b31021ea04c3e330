// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxAdminBody allows a few thousand faults or keys in one request.
const maxAdminBody = 4 << 20

// AdminHandler drives the server over HTTP, under /_sim/. It answers callers on
// the same machine only, and holds no private key; docs/ccesim.md has the
// requests. It is not part of ServeHTTP: whoever runs the server decides whether
// to offer it.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/ledger", s.adminLedger)
	mux.HandleFunc("GET /_sim/requests", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Requests()) })
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { reply(w, Faults()) })
	mux.HandleFunc("GET /_sim/script", func(w http.ResponseWriter, _ *http.Request) { reply(w, scriptBody{s.Scripted()}) })
	mux.HandleFunc("POST /_sim/script", admin(func(_ *http.Request, b scriptBody) error { return s.Script(b.Faults...) }))
	mux.HandleFunc("DELETE /_sim/script", admin(func(*http.Request, nothing) error { s.ClearScript(); return nil }))
	mux.HandleFunc("GET /_sim/clusters/{id}", s.adminShowCluster)
	mux.HandleFunc("PUT /_sim/clusters/{id}", admin(s.adminPutCluster))
	mux.HandleFunc("PATCH /_sim/clusters/{id}", admin(s.adminPatchCluster))
	mux.HandleFunc("DELETE /_sim/clusters/{id}", admin(s.adminDeleteCluster))
	mux.HandleFunc("PUT /_sim/keys", admin(func(_ *http.Request, b keysBody) error { return s.SetKeys(b.Keys...) }))
	mux.HandleFunc("PUT /_sim/granted-lifetime", admin(func(_ *http.Request, b durationBody) error { return b.set(s.SetGrantedLifetime) }))
	mux.HandleFunc("PUT /_sim/latency", admin(func(_ *http.Request, b durationBody) error { return b.set(s.SetLatency) }))
	mux.HandleFunc("PUT /_sim/writes-per-minute", admin(s.adminWrites))
	return onlyLoopback(mux)
}

type (
	nothing    struct{}
	ledgerBody struct {
		Next    int     `json:"next"` // the value of since for the next request
		Entries []Entry `json:"entries"`
	}
	scriptBody struct {
		Faults []Fault `json:"faults"`
	}
	keysBody struct {
		Keys []AccessKey `json:"keys"`
	}
	durationBody struct {
		Duration string `json:"duration"`
	}
	writesBody struct {
		WritesPerMinute int `json:"writesPerMinute"`
	}
)

var errNoCluster = errors.New("the cluster does not exist")

func onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || !ip.IsLoopback() {
			http.Error(w, "the admin API answers the same machine only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admin reads a request's body strictly, if it has one, and answers 204, or 404
// or 400 with the error as text.
func admin[Body any](do func(*http.Request, Body) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body Body
		err := decodeStrictly(http.MaxBytesReader(w, r.Body, maxAdminBody), &body)
		if err == nil {
			err = do(r, body)
		}
		switch {
		case errors.Is(err, errNoCluster):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

// decodeStrictly reads one JSON value without unknown fields; an empty body
// leaves into as it is, unless it is not one that may be empty.
func decodeStrictly[Body any](r io.Reader, into *Body) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	switch err := d.Decode(into); {
	case errors.Is(err, io.EOF):
		if _, empty := any(into).(*nothing); empty {
			return nil
		}
		return errors.New("the body is empty")
	case err != nil:
		return fmt.Errorf("read the body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body holds more than one JSON value")
	}
	return nil
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a caller that left needs no answer
}

func (s *Server) adminLedger(w http.ResponseWriter, r *http.Request) {
	since := 0
	if text := r.URL.Query().Get("since"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			http.Error(w, "since is not a number of at least 0", http.StatusBadRequest)
			return
		}
		since = n
	}
	entries := s.LedgerSince(since)
	reply(w, ledgerBody{Next: since + len(entries), Entries: entries})
}

func (b durationBody) set(set func(time.Duration)) error {
	d, err := time.ParseDuration(b.Duration)
	if err != nil || d < 0 {
		return fmt.Errorf("duration %q is not one of at least 0, like 40s", b.Duration)
	}
	set(d)
	return nil
}

func (s *Server) adminWrites(_ *http.Request, b writesBody) error {
	if b.WritesPerMinute < 0 {
		return errors.New("writesPerMinute is less than 0")
	}
	s.SetWritesPerMinute(b.WritesPerMinute)
	return nil
}
