// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// The temporary keys of pod identity, the metadata service of ECS and federated logins:
// who may have which.

// Agency is an agency of the account, as which a machine or a Pod may act.
type Agency struct {
	// ID becomes the common name of the certificates (cce_02_0249).
	ID string `json:"id"`
	// Groups become their organizations; the documents do not say so.
	Groups []string `json:"groups,omitempty"`
	// Projects that the agency may use. Unset: all.
	Projects []string `json:"projects,omitempty"`
}

func (a Agency) principal() principal {
	return principal{userID: a.ID, groups: a.Groups, allowed: a.Projects}
}

// Instance is the ECS instance that [Server.MetadataHandler] is the metadata service of.
type Instance struct {
	// Agency of the instance. Unset: it has none, and security keys are refused.
	Agency Agency `json:"agency"`
	// NoTokens is the status that a request for a token is refused with, as where only the
	// first version of the service is there: 404, 405 or 503. Unset: tokens are given.
	NoTokens int `json:"noTokens,omitempty"`
	// TokensOnly refuses security keys to requests without a token. Unset: it does not.
	TokensOnly bool `json:"tokensOnly,omitempty"`
}

func (i Instance) check() error {
	switch i.NoTokens {
	case 0, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusServiceUnavailable:
	default:
		return fmt.Errorf("NoTokens of the instance is %d, not 404, 405 or 503", i.NoTokens)
	}
	if i.NoTokens != 0 && i.TokensOnly {
		return fmt.Errorf("the instance gives no tokens and asks for them")
	}
	return nil
}

// IdentityProvider is an identity provider of IAM, with OpenID Connect and programmatic access.
type IdentityProvider struct {
	// ID is what X-Idp-Id must be.
	ID string `json:"id"`
	// IDTokens are the ID tokens that it accepts, in place of a signature and an audience.
	IDTokens []string `json:"idTokens"`
	// Groups become the organizations of the certificates. Every login is another user.
	Groups []string `json:"groups,omitempty"`
	// Projects that the users may use. Unset: all.
	Projects []string `json:"projects,omitempty"`
}

// String names the provider without its tokens.
func (p IdentityProvider) String() string { return "identity provider " + p.ID }

// GoString names the provider without its tokens.
func (p IdentityProvider) GoString() string { return p.String() }

// introduce takes over who may have temporary keys.
func (s *Server) introduce(cfg Config) {
	s.temporaries = newTemporaries(cfg.TemporaryLifetime)
	s.pods, s.providers = maps.Clone(cfg.PodIdentities), slices.Clone(cfg.IdentityProviders)
	s.instance.Store(&cfg.Instance)
}

func (c Config) checkIdentities() error {
	seen := map[string]bool{}
	for _, p := range c.IdentityProviders {
		if p.ID == "" || seen[p.ID] {
			return fmt.Errorf("%v has no ID, or one that is there already", p)
		}
		seen[p.ID] = true
	}
	for token, agency := range c.PodIdentities {
		if token == "" || agency.ID == "" {
			return fmt.Errorf("a pod identity needs a token and the ID of an agency")
		}
	}
	if c.TemporaryLifetime < 0 {
		return fmt.Errorf("the value of TemporaryLifetime is %v, less than 0", c.TemporaryLifetime)
	}
	return c.Instance.check()
}
