// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

func (s *Server) adminShowCluster(w http.ResponseWriter, r *http.Request) {
	c, ok := s.Cluster(r.PathValue("id"))
	if !ok {
		http.Error(w, errNoCluster.Error(), http.StatusNotFound)
		return
	}
	reply(w, c)
}

// adminPutCluster adds a cluster, or replaces the one that is there.
func (s *Server) adminPutCluster(r *http.Request, c Cluster) error {
	id := r.PathValue("id")
	if c.ID != "" && c.ID != id {
		return errors.New("the body and the path name different clusters")
	}
	c.ID = id
	if _, exists := s.Cluster(id); exists {
		return s.UpdateCluster(id, func(old *Cluster) { *old = c })
	}
	return s.AddCluster(c)
}

// adminPatchCluster changes the fields that the body holds.
func (s *Server) adminPatchCluster(r *http.Request, patch json.RawMessage) error {
	id := r.PathValue("id")
	changed, exists := s.Cluster(id)
	if !exists {
		return errNoCluster
	}
	if err := decodeStrictly(bytes.NewReader(patch), &changed); err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	return s.UpdateCluster(id, func(old *Cluster) { *old = changed })
}

func (s *Server) adminDeleteCluster(r *http.Request, _ nothing) error {
	if !s.RemoveCluster(r.PathValue("id")) {
		return errNoCluster
	}
	return nil
}
