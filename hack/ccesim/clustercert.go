// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/sha256"
	"fmt"
	"mime"
)

// issue answers POST clustercert: every call makes a new key and certificate
// (cce_02_0248).
func (s *Server) issue(c *call) answer {
	target, refused := s.target(c)
	if refused != nil {
		return c.refuse(refused)
	}
	asked, refused := parseValidity(c.body, c.route.autopilot)
	if refused != nil {
		return c.refuse(refused)
	}
	notAfter, refused := asked.notAfter(c.now)
	if refused != nil {
		return c.refuse(refused)
	}
	if !issues(target.Phase) {
		return c.refuse(wrongState(target.Phase))
	}
	a, err := s.mint(c, target, s.plan(c, notAfter))
	if err != nil {
		return c.refuse(serverError())
	}
	return a
}

// mint signs, records and writes up, with the fault of the call having its say
// at each step.
func (s *Server) mint(c *call, target *storedCluster, i issuance) (answer, error) {
	if c.fault.alter != nil {
		if err := c.fault.alter(s, &i); err != nil {
			return answer{}, err
		}
	}
	cred, err := s.sign(i)
	if err != nil {
		return answer{}, err
	}
	s.ledger.minted(c.entry, cred)
	k := newKubeconfig(target.Cluster, s.authority.Load().shown(target.CATextPrefix), cred)
	if c.fault.rewrite != nil {
		if err := c.fault.rewrite(s, &k); err != nil {
			return answer{}, err
		}
	}
	a := ok(k)
	a.header = map[string]string{"Port-ID": portID(target.ID)}
	return a, nil
}

// target is the cluster of a POST that may be sent to it.
func (s *Server) target(c *call) (*storedCluster, *apiError) {
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, wrongContentType()
	}
	return s.clusterOf(c)
}

// issues tells whether certificates are issued in a phase. The documents do not
// say it: these are the phases in which the API server serves and no operation
// holds the cluster.
func issues(phase string) bool {
	switch phase {
	case "Available", "ScalingUp", "ScalingDown":
		return true
	}
	return false
}

// portID stands for the ID of the cluster's network port: some UUID, the same
// for the same cluster.
func portID(cluster string) string {
	h := sha256.Sum256([]byte(cluster))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
