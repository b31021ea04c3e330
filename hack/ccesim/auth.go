// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxSkew is how far X-Sdk-Date may be from the server's time (API Request
// Signing Guide).
const maxSkew = 15 * time.Minute

// principal is who sends a call, as far as it has proved it.
type principal struct {
	accessKey string // empty: came with a token
	userID    string
	groups    []string
	allowed   []string // projects; empty: all
}

// account is what the write limit counts by.
func (p principal) account() string {
	if p.accessKey != "" {
		return p.accessKey
	}
	return "token of " + p.userID
}

func (p principal) mayUse(project string) bool {
	return len(p.allowed) == 0 || slices.Contains(p.allowed, project)
}

// authenticate accepts a signature or a token, in this order, as the gateway
// does. The version query and the ways to temporary keys are open to everyone.
func (s *Server) authenticate(c *call) *apiError {
	if c.route.op.open() {
		return nil
	}
	if header := c.r.Header.Get("Authorization"); header != "" {
		return s.authenticateKey(c, header)
	}
	return s.authenticateToken(c)
}

func (s *Server) authenticateToken(c *call) *apiError {
	value := c.r.Header.Get("X-Auth-Token")
	if value == "" {
		return incorrectIAM("x-auth-token not found")
	}
	t, ok := s.registry.token(value)
	switch {
	case !ok:
		return incorrectIAM("decrypt token fail")
	case !t.Expires.IsZero() && !c.now.Before(t.Expires):
		return tokenExpired()
	}
	c.who = principal{userID: t.UserID, groups: t.Groups, allowed: t.Projects}
	return nil
}

func (s *Server) authenticateKey(c *call, header string) *apiError {
	sig, err := parseAuthorization(header)
	if err != nil {
		return incorrectIAM("verify aksk signature fail, " + err.Error())
	}
	s.ledger.claim(c.entry, sig.accessKey)
	key, ok := s.registry.key(sig.accessKey)
	temporary, given := s.temporaries.key(sig.accessKey)
	if given {
		key = temporary.AccessKey
	}
	switch {
	case !ok && !given:
		return incorrectIAM(fmt.Sprintf("Get secretKey failed,ak:%s,err:ak not exist", sig.accessKey))
	case given && !c.now.Before(temporary.ends):
		return incorrectIAM("verify aksk signature fail, the security token has expired")
	case s.lockout.locked(key.ID, c.now):
		return incorrectIAM("AK access failed to reach the limit,forbidden.")
	}
	if refused := s.checkKey(c, sig, key); refused != nil {
		s.lockout.failed(key.ID, c.now)
		return refused
	}
	s.lockout.succeeded(key.ID)
	c.who = principal{accessKey: key.ID, userID: key.UserID, groups: key.Groups, allowed: key.Projects}
	return nil
}

func (s *Server) checkKey(c *call, sig signature, key AccessKey) *apiError {
	switch err := sig.verify(c.r, c.body, key.Secret, s.signatureClock()); {
	case errors.Is(err, errSkew):
		return signatureExpired(err.Error())
	case err != nil:
		return incorrectIAM("verify aksk signature fail, " + err.Error())
	}
	sent := c.r.Header.Get("X-Security-Token")
	if subtle.ConstantTimeCompare([]byte(sent), []byte(key.SecurityToken)) != 1 {
		return incorrectIAM("verify aksk signature fail, the security token does not belong to the access key")
	}
	if sent != "" && !slices.Contains(sig.signedHeaders, "x-security-token") {
		return incorrectIAM("verify aksk signature fail, X-Security-Token is not signed")
	}
	return nil
}

// authorize checks that the project of the call exists and may be used.
func (s *Server) authorize(c *call) *apiError {
	if !s.registry.hasProject(c.route.project) {
		return notFound()
	}
	if !c.who.mayUse(c.route.project) {
		return forbidden("no permission in the project")
	}
	if header := c.r.Header.Get("X-Project-Id"); header != "" && header != c.route.project {
		return forbidden("X-Project-Id and the path name different projects")
	}
	return nil
}
