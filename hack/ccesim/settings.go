// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// AddCluster adds a cluster under the rules of Config.Clusters.
func (s *Server) AddCluster(c Cluster) error { return s.registry.addCluster(c, s.clock()) }

// UpdateCluster changes an existing cluster; the ID stays. A change that breaks
// the rules of Config.Clusters is an error and changes nothing. The function
// must not call the server.
func (s *Server) UpdateCluster(id string, change func(*Cluster)) error {
	return s.registry.updateCluster(id, s.clock(), change)
}

// RemoveCluster deletes a cluster and reports whether it was there.
func (s *Server) RemoveCluster(id string) bool { return s.registry.removeCluster(id) }

// Cluster returns a copy of a cluster, with its defaults filled in.
func (s *Server) Cluster(id string) (Cluster, bool) {
	c, ok := s.registry.cluster(id)
	if !ok {
		return Cluster{}, false
	}
	return c.clone(), true
}

// AddProject adds a project under the rules of Config.Projects.
func (s *Server) AddProject(p Project) error { return s.registry.addProject(p) }

// SetKeys replaces all access keys under the rules of Config.Keys. A locked key
// stays locked if it is given again.
func (s *Server) SetKeys(keys ...AccessKey) error { return s.registry.setKeys(keys) }

// SetTokens replaces all tokens under the rules of Config.Tokens.
func (s *Server) SetTokens(tokens map[string]Token) error { return s.registry.setTokens(tokens) }

// SetGrantedLifetime is Config.GrantedLifetime from now on; less than 0 counts
// as 0.
func (s *Server) SetGrantedLifetime(d time.Duration) { s.granted.Store(int64(max(d, 0))) }

// SetLeastLifetime makes certificates valid for at least that long, whatever is asked for, as a cloud that knows whole days only
// may (an assumption); 0: as asked for.
func (s *Server) SetLeastLifetime(d time.Duration) { s.least.Store(int64(max(d, 0))) }

// SetBackdate is Config.Backdate from now on; less than 0 counts as 0.
func (s *Server) SetBackdate(d time.Duration) { s.backdate.Store(int64(max(d, 0))) }

// SetLatency is Config.Latency from now on; less than 0 counts as 0.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(max(d, 0))) }

// SetWritesPerMinute is Config.WritesPerMinute from now on; less than 0 counts
// as 0. What was counted so far is forgotten.
func (s *Server) SetWritesPerMinute(n int) { s.limiter.reset(max(n, 0)) }

// SetCA replaces the certificate authority, as a rotation of the cluster's root
// does; serverCAPEM is as in Config. Certificates issued before are unchanged.
func (s *Server) SetCA(cert *x509.Certificate, key crypto.Signer, serverCAPEM []byte) error {
	ca, err := useAuthority(cert, key, serverCAPEM)
	if err != nil {
		return fmt.Errorf("ccesim: certificate authority: %w", err)
	}
	s.authority.Store(ca)
	return nil
}

// ClientCAPEM is the certificate that a server must trust for the issued client
// certificates to authenticate.
func (s *Server) ClientCAPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.authority.Load().cert.Raw})
}

// Requests counts the calls so far by operation, refused ones too.
func (s *Server) Requests() map[string]int { return s.requests.all() }
