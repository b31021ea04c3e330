// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// adminTime bounds one request to the admin API.
const adminTime = 10 * time.Second

// Ledger returns every POST that the cloud got, in order of arrival.
func (s *Sim) Ledger() ([]Entry, error) { return s.LedgerSince(0) }

// LedgerSince returns the entries from an index on.
func (s *Sim) LedgerSince(index int) ([]Entry, error) {
	var page struct {
		Next    int     `json:"next"`
		Entries []Entry `json:"entries"`
	}
	err := s.admin(http.MethodGet, fmt.Sprintf("ledger?since=%d", index), nil, &page)
	return page.Entries, err
}

// Requests counts the calls by operation, such as "clustercert" and "list-clusters", refused ones too.
func (s *Sim) Requests() (map[string]int, error) {
	var counts map[string]int
	return counts, s.admin(http.MethodGet, "requests", nil, &counts)
}

// Script appends faults to what is going to go wrong.
func (s *Sim) Script(faults ...Fault) error {
	return s.admin(http.MethodPost, "script", map[string]any{"faults": faults}, nil)
}

// Scripted returns the faults that are left.
func (s *Sim) Scripted() ([]Fault, error) {
	var body struct {
		Faults []Fault `json:"faults"`
	}
	err := s.admin(http.MethodGet, "script", nil, &body)
	return body.Faults, err
}

// ClearScript has nothing go wrong any more.
func (s *Sim) ClearScript() error { return s.admin(http.MethodDelete, "script", nil, nil) }

// FaultNames lists the faults that the simulator knows.
func (s *Sim) FaultNames() ([]FaultDoc, error) {
	var docs []FaultDoc
	return docs, s.admin(http.MethodGet, "faults", nil, &docs)
}

// SetGrantedLifetime caps the life of certificates from now on. 0: as asked.
func (s *Sim) SetGrantedLifetime(d time.Duration) error {
	return s.admin(http.MethodPut, "granted-lifetime", map[string]string{"duration": d.String()}, nil)
}

// SetLatency changes the wait between a call's effect and its answer.
func (s *Sim) SetLatency(d time.Duration) error {
	return s.admin(http.MethodPut, "latency", map[string]string{"duration": d.String()}, nil)
}

// SetWritesPerMinute changes how many POSTs an access key may send in any 60 s. 0: no limit.
func (s *Sim) SetWritesPerMinute(n int) error {
	return s.admin(http.MethodPut, "writes-per-minute", map[string]int{"writesPerMinute": n}, nil)
}

// SetSecretKey changes the secret of the access key, as if someone had replaced it: with another than SecretKey every
// signature is wrong.
func (s *Sim) SetSecretKey(secret string) error {
	return s.admin(http.MethodPut, "keys", map[string]any{"keys": []simKey{newSimKey(secret)}}, nil)
}

// Cluster returns a cluster as it is now.
func (s *Sim) Cluster(id string) (SimCluster, error) {
	var c SimCluster
	return c, s.admin(http.MethodGet, "clusters/"+id, nil, &c)
}

// PutCluster adds a cluster, or replaces it as a whole.
func (s *Sim) PutCluster(c SimCluster) error {
	return s.admin(http.MethodPut, "clusters/"+c.ID, c, nil)
}

// PatchCluster changes some fields of a cluster, by their names in JSON: {"phase": "Hibernation"}.
func (s *Sim) PatchCluster(id string, fields map[string]any) error {
	return s.admin(http.MethodPatch, "clusters/"+id, fields, nil)
}

// DeleteCluster removes a cluster.
func (s *Sim) DeleteCluster(id string) error {
	return s.admin(http.MethodDelete, "clusters/"+id, nil, nil)
}

// admin sends a request below /_sim/ and reads the answer, if any, into answer.
//
//nolint:contextcheck,nolintlint // it has the context of the stack; callers are checked, not this
func (s *Sim) admin(method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(s.life, adminTime)
	defer cancel()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+"/_sim/"+path, sent)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking ccesim: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("asking ccesim: %w", err)
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("ccesim answers %s %s with %s: %s", method, path, response.Status, strings.TrimSpace(string(text)))
	case answer != nil:
		if err := json.Unmarshal(text, answer); err != nil {
			return fmt.Errorf("reading what ccesim answers to %s %s: %w", method, path, err)
		}
	}
	return nil
}
