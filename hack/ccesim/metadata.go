// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"net/http"
	"strconv"
	"time"
)

// PodIdentityPath is the path that [Server.PodIdentityHandler] answers. In a real Pod the
// whole address is the value of HC_CONTAINER_CREDENTIALS_FULL_URI.
const PodIdentityPath = "/v1/credentials"

// The paths of the metadata service of ECS ("Obtaining Metadata", "Security Key").
const (
	metadataTokenPath = "/meta-data/latest/api/token"
	securityKeyPath   = "/openstack/latest/securitykey"
	longestTokenLife  = 21600 // seconds
)

// PodIdentityHandler answers like the agent of CCE pod identity on a node. It is not part
// of ServeHTTP: it has an address of its own. Its form is that which the SDK of the cloud
// expects (v0.1.191 and later), since no document has it.
func (s *Server) PodIdentityHandler() http.Handler {
	return s.handler(func(method, path string) Op {
		if method == http.MethodPost && path == PodIdentityPath {
			return OpPodIdentity
		}
		return OpUnknown
	})
}

// MetadataHandler answers like the metadata service of ECS at http://169.254.169.254, as
// far as security keys go. It is not part of ServeHTTP: it has an address of its own.
func (s *Server) MetadataHandler() http.Handler {
	return s.handler(func(method, path string) Op {
		switch method + " " + path {
		case "PUT " + metadataTokenPath:
			return OpMetadataToken
		case "GET " + securityKeyPath:
			return OpSecurityKey
		}
		return OpUnknown
	})
}

func (s *Server) handler(opOf func(method, path string) Op) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, route{op: opOf(r.Method, r.URL.Path)})
	})
}

type (
	podCredentials struct {
		Credentials podCredential `json:"credentials"`
	}
	podCredential struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SecurityToken   string `json:"securityToken"`
		Expiration      string `json:"expiration"`
	}
)

func (s *Server) podIdentity(c *call) answer {
	if refused := readJSON(c, &struct{}{}); refused != nil {
		return c.refuse(refused)
	}
	agency, known := s.pods[c.r.Header.Get("Authorization")]
	if !known {
		return c.refuse(incorrectIAM("the token belongs to no ServiceAccount that is associated with an agency"))
	}
	k := s.temporaries.ofAgency(agency, c.now)
	return ok(podCredentials{podCredential{k.ID, k.Secret, k.SecurityToken, k.ends.Format("2006-01-02T15:04:05Z")}})
}

// metadataToken answers PUT /meta-data/latest/api/token: a token for the second version.
func (s *Server) metadataToken(c *call) answer {
	instance := s.instance.Load()
	seconds, err := strconv.Atoi(c.r.Header.Get("X-Metadata-Token-Ttl-Seconds"))
	switch {
	case instance.NoTokens != 0:
		return answer{status: instance.NoTokens}
	case err != nil || seconds < 1 || seconds > longestTokenLife || len(c.body) > 0:
		return c.refuse(badRequest("X-Metadata-Token-Ttl-Seconds must be 1 to 21600, without a body"))
	}
	token := s.temporaries.metadataToken(c.now, time.Duration(seconds)*time.Second)
	return answer{status: http.StatusOK, header: map[string]string{"Content-Type": "text/plain"}, body: []byte(token)}
}

// securityKey answers GET /openstack/latest/securitykey.
func (s *Server) securityKey(c *call) answer {
	instance, token := s.instance.Load(), c.r.Header.Get("X-Metadata-Token")
	switch {
	case len(c.body) > 0:
		return c.refuse(badRequest("there is a body"))
	case token == "" && instance.TokensOnly, token != "" && !s.temporaries.isMetadataToken(token, c.now):
		return c.refuse(incorrectIAM("X-Metadata-Token is not valid"))
	case instance.Agency.ID == "":
		return c.refuse(iamRefusal(http.StatusUnauthorized, "ECS.0001", "Please configure Cloud Service Agency first"))
	}
	return ok(newCredentialBody(s.temporaries.ofAgency(instance.Agency, c.now)))
}

// SetInstance is Config.Instance from now on.
func (s *Server) SetInstance(i Instance) error {
	if err := i.check(); err != nil {
		return err
	}
	s.instance.Store(&i)
	return nil
}
