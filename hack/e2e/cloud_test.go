// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
	"github.com/clustercredential/operator/hack/stack"
)

// The key of every world's account. The secret parts are easy to find wherever they turn up: any eight characters in a row
// give them away.
var (
	canarySecretKey     = strings.Repeat("CANARYSK", 5)
	canarySecurityToken = strings.Repeat("CANARYST", 8)
	canaryToken         = strings.Repeat("CANARYTK", 8)
	canaryPodToken      = strings.Repeat("CANARYPT", 8)
	canaryIDToken       = strings.Repeat("CANARYID", 8)
)

// options say what a world is like.
type options struct {
	// suite has the servers. Unset: those that the tests share.
	suite *shared
	// front is for worlds whose managers reach the API server by way of one.
	front *front
	// clusters are the names of its clusters; stack.ClusterID tells their ids.
	clusters []string
	lifetime time.Duration // longest life of a certificate; 0: as asked
	latency  time.Duration // between a call's effect and its answer
	// keys are more access keys; each has canarySecretKey.
	keys []string
	// temporary are more access keys; each has canarySecretKey and canarySecurityToken.
	temporary []string
	// gated is for worlds whose managers go through a gate.
	gated bool
	// alone is for a test that measures: the others wait for it.
	alone bool
	// elects is for worlds whose managers elect a leader: they have the one Lease to themselves.
	elects bool
	// ownLease is for gated worlds whose managers elect a leader by a Lease in the world's own namespace.
	ownLease bool
}

// cloud is a simulator of a world's own: with the lifetime, the latency and the faults that its test wants. It serves the same
// HTTP as the ccesim binary, admin API included.
type cloud struct {
	*stack.Sim
	sim    *ccesim.Server
	server *httptest.Server
}

func (s *shared) newCloud(t *testing.T, o options) *cloud {
	t.Helper()
	cert, key, _ := s.Kube.ClientCA()
	config := ccesim.Config{
		CACert: cert, CAKey: key, KeyAlgorithm: ccesim.EC, GrantedLifetime: o.lifetime, Latency: o.latency,
		Projects: []ccesim.Project{{ID: stack.ProjectID, Name: stack.Region}},
		Tokens:   map[string]ccesim.Token{canaryToken: {UserID: stack.UserID, Groups: []string{"system:masters"}}},

		PodIdentities: map[string]ccesim.Agency{canaryPodToken: {ID: agencyID, Groups: []string{"system:masters"}}},
		IdentityProviders: []ccesim.IdentityProvider{
			{ID: identityProvider, IDTokens: []string{canaryIDToken}, Groups: []string{"system:masters"}},
		},
	}
	for _, id := range slices.Concat([]string{stack.AccessKey}, o.keys, o.temporary) {
		key := ccesim.AccessKey{ID: id, Secret: canarySecretKey, UserID: stack.UserID, Groups: []string{"system:masters"}}
		if slices.Contains(o.temporary, id) {
			key.SecurityToken = canarySecurityToken
		}
		config.Keys = append(config.Keys, key)
	}
	for _, name := range o.clusters {
		config.Clusters = append(config.Clusters, ccesim.Cluster{
			ID: s.ClusterID(name), Name: name, ProjectID: stack.ProjectID,
			InternalURL: internalURL, ExternalURL: s.Kube.URL(),
		})
	}
	sim, err := ccesim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	both := http.NewServeMux()
	both.Handle("/", sim)
	both.Handle("/_sim/", sim.AdminHandler())
	server := httptest.NewServer(both)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	admin := *s.Sim // speaks the same admin API, at another address
	admin.URL = server.URL
	return &cloud{Sim: &admin, sim: sim, server: server}
}

// Who the operator may be without a key of its own.
const (
	agencyID         = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	identityProvider = "corporate"
)

// internalURL is the address of every cluster inside its network. Nobody answers there.
const internalURL = "https://192.168.0.10:5443"

// goesDown ends the cloud: nobody listens any more.
func (c *cloud) goesDown() {
	c.server.Listener.Close()
	c.server.CloseClientConnections()
}

// posts are the requests for a certificate that the cloud got for these clusters; without names: all.
func (w *world) posts(clusters ...string) []stack.Entry {
	w.t.Helper()
	all, err := w.cloud.Ledger()
	w.must(err)
	wanted := map[string]bool{}
	for _, name := range clusters {
		wanted[w.ClusterID(name)] = true
	}
	var posts []stack.Entry
	for _, entry := range all {
		if entry.Op == string(ccesim.OpIssue) && (len(clusters) == 0 || wanted[entry.Cluster]) {
			posts = append(posts, entry)
		}
	}
	return posts
}

// wantPosts fails unless the cloud was asked exactly so often.
func (w *world) wantPosts(want int, clusters ...string) {
	w.t.Helper()
	if posts := w.posts(clusters...); len(posts) != want {
		w.t.Errorf("the cloud was asked for %d certificates of %v, want %d:\n%+v", len(posts), clusters, want, posts)
	}
}
