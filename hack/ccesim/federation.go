// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
	"time"
)

// dateTime is how IAM and ECS write a time.
const dateTime = "2006-01-02T15:04:05.000000Z"

type (
	idTokenBody struct {
		Auth struct {
			IDToken struct {
				ID string `json:"id"`
			} `json:"id_token"`
		} `json:"auth"`
	}
	subjectToken struct {
		Token subject `json:"token"`
	}
	subject struct {
		ExpiresAt string      `json:"expires_at"`
		IssuedAt  string      `json:"issued_at"`
		Methods   []string    `json:"methods"`
		User      subjectUser `json:"user"`
	}
	subjectUser struct {
		ID         string            `json:"id"`
		Name       string            `json:"name"`
		Federation subjectFederation `json:"OS-FEDERATION"`
	}
	subjectFederation struct {
		Provider idOnly   `json:"identity_provider"`
		Protocol idOnly   `json:"protocol"`
		Groups   []idOnly `json:"groups"`
	}
	idOnly struct {
		ID string `json:"id"`
	}

	securityTokenBody struct {
		Auth struct {
			Identity struct {
				Methods []string `json:"methods"`
				Token   *struct {
					ID       string `json:"id"`
					Duration *int   `json:"duration_seconds"`
				} `json:"token"`
			} `json:"identity"`
		} `json:"auth"`
	}
	credentialBody struct {
		Credential credentialView `json:"credential"`
	}
	credentialView struct {
		ExpiresAt     string `json:"expires_at"`
		Access        string `json:"access"`
		Secret        string `json:"secret"`
		SecurityToken string `json:"securitytoken"`
	}
)

func newCredentialBody(k temporaryKey) credentialBody {
	return credentialBody{credentialView{k.ends.Format(dateTime), k.ID, k.Secret, k.SecurityToken}}
}

// idToken answers POST /v3.0/OS-AUTH/id-token/tokens of IAM ("Obtaining a Token with an
// OpenID Connect ID Token"): an unscoped token for a user that is new. Tokens with a scope
// are not simulated.
func (s *Server) idToken(c *call) answer {
	var asked idTokenBody
	if refused := readJSON(c, &asked); refused != nil {
		return c.refuse(refused)
	}
	id := c.r.Header.Get("X-Idp-Id")
	at := slices.IndexFunc(s.providers, func(p IdentityProvider) bool { return p.ID == id })
	switch {
	case id == "" || asked.Auth.IDToken.ID == "":
		return c.refuse(iamRefusal(http.StatusBadRequest, "IAM.0011", "X-Idp-Id and auth.id_token.id are needed"))
	case at < 0:
		return c.refuse(iamRefusal(http.StatusNotFound, "IAM.0004", "Could not find identity provider"))
	case !slices.Contains(s.providers[at].IDTokens, asked.Auth.IDToken.ID):
		return c.refuse(iamRefusal(http.StatusUnauthorized, "IAM.0001", "The ID token is not valid"))
	}
	token, l := s.temporaries.logIn(s.providers[at], c.now)
	groups := make([]idOnly, 0, len(l.who.groups))
	for _, group := range l.who.groups {
		groups = append(groups, idOnly{group})
	}
	return answer{
		status: http.StatusCreated, header: map[string]string{"X-Subject-Token": token},
		body: encode(subjectToken{subject{
			ExpiresAt: l.ends.UTC().Format(dateTime), IssuedAt: c.now.UTC().Format(dateTime), Methods: []string{"mapped"},
			User: subjectUser{
				ID: l.who.userID, Name: "FederationUser",
				Federation: subjectFederation{idOnly{id}, idOnly{"oidc"}, groups},
			},
		}}),
	}
}

// The bounds of duration_seconds, and what counts without it.
const (
	shortestKey = 15 * time.Minute
	longestKey  = 24 * time.Hour
)

// securityToken answers POST /v3.0/OS-CREDENTIAL/securitytokens of IAM ("Obtaining
// Temporary Access Keys and Security Tokens of a User", CreateTemporaryAccessKeyByToken).
func (s *Server) securityToken(c *call) answer {
	var asked securityTokenBody
	if refused := readJSON(c, &asked); refused != nil {
		return c.refuse(refused)
	}
	identity := asked.Auth.Identity
	if !slices.Equal(identity.Methods, []string{"token"}) {
		return c.refuse(iamRefusal(http.StatusBadRequest, "IAM.0011", "auth.identity.methods must be [token]"))
	}
	token, lifetime := c.r.Header.Get("X-Auth-Token"), shortestKey
	if identity.Token != nil && identity.Token.ID != "" {
		token = identity.Token.ID
	}
	if identity.Token != nil && identity.Token.Duration != nil {
		lifetime = time.Duration(*identity.Token.Duration) * time.Second
	}
	l, known := s.temporaries.login(token)
	switch {
	case lifetime < shortestKey || lifetime > longestKey:
		return c.refuse(iamRefusal(http.StatusBadRequest, "IAM.0011", "duration_seconds must be 900 to 86400"))
	case !known || !c.now.Before(l.ends):
		return c.refuse(iamRefusal(http.StatusUnauthorized, "IAM.0002", "The token is not valid"))
	}
	a := ok(newCredentialBody(s.temporaries.give(l.who, c.now, lifetime)))
	a.status = http.StatusCreated
	return a
}

// iamRefusal is a refusal as IAM writes it, which is like the gateway.
func iamRefusal(status int, code, message string) *apiError {
	return &apiError{status, unauthenticated, code, message, DialectGateway}
}

// readJSON reads a body with this content type and these fields only.
func readJSON[Body any](c *call, into *Body) *apiError {
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return wrongContentType()
	}
	if err := decodeStrictly(bytes.NewReader(c.body), into); err != nil {
		return badRequest(err.Error())
	}
	return nil
}
