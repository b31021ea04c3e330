// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"encoding/json"
	"net/http"
)

// revoke answers POST clustercertrevoke. An API server that trusts the
// certificate authority would go on accepting the certificates, so the ledger
// marks them as revoked and that is all.
func (s *Server) revoke(c *call) answer {
	target, refused := s.target(c)
	if refused != nil {
		return c.refuse(refused)
	}
	user, refused := parseRevoke(c.body)
	switch {
	case refused != nil:
		return c.refuse(refused)
	case user != c.who.userID:
		return c.refuse(forbidden("a user may revoke only its own certificates"))
	}
	s.ledger.revoke(target.ID, user)
	return answer{status: http.StatusOK}
}

// parseRevoke returns the user or agency: exactly one of the two.
func parseRevoke(body []byte) (string, *apiError) {
	fields, refused := object(body, "userId", "agencyId")
	if refused != nil {
		return "", refused
	}
	var user, agency string
	for name, into := range map[string]*string{"userId": &user, "agencyId": &agency} {
		if raw, ok := fields[name]; ok && json.Unmarshal(raw, into) != nil {
			return "", badRequest(name + " is not a string")
		}
	}
	if (user == "") == (agency == "") {
		return "", badRequest("exactly one of userId and agencyId is needed")
	}
	return user + agency, nil
}
