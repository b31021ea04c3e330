// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"net/http"
	"strings"
)

// Op is an operation of the API, the same for both types of clusters.
type Op string

// The operations.
const (
	OpIssue     Op = "clustercert"       // POST …/clusters/{id}/clustercert
	OpRevoke    Op = "clustercertrevoke" // POST …/clusters/{id}/clustercertrevoke
	OpShow      Op = "show-cluster"      // GET …/clusters/{id}
	OpList      Op = "list-clusters"     // GET …/clusters
	OpEndpoints Op = "openapi"           // GET …/clusters/{id}/openapi
	OpProjects  Op = "projects"          // GET /v3/projects (IAM)
	OpVersion   Op = "version"           // GET /
	OpUnknown   Op = "unknown"           // everything else
)

// The operations that give temporary keys. They are open to everyone who has the token.
const (
	OpIDToken       Op = "id-token"       // POST /v3.0/OS-AUTH/id-token/tokens (IAM)
	OpSecurityToken Op = "securitytokens" // POST /v3.0/OS-CREDENTIAL/securitytokens (IAM)
	OpPodIdentity   Op = "pod-identity"   // POST PodIdentityPath (PodIdentityHandler)
	OpMetadataToken Op = "metadata-token" // PUT /meta-data/latest/api/token (MetadataHandler)
	OpSecurityKey   Op = "securitykey"    // GET /openstack/latest/securitykey (MetadataHandler)
)

// writes tells whether the operation changes something in the cloud: those
// calls are recorded in the ledger and count for the write limit.
func (o Op) writes() bool { return o == OpIssue || o == OpRevoke }

// open tells whether the operation needs neither a signature nor a token of IAM.
func (o Op) open() bool {
	switch o {
	case OpVersion, OpIDToken, OpSecurityToken, OpPodIdentity, OpMetadataToken, OpSecurityKey:
		return true
	default:
		return false
	}
}

func (o Op) known() bool {
	switch o {
	case OpIssue, OpRevoke, OpShow, OpList, OpEndpoints, OpProjects:
		return true
	default:
		return o.open()
	}
}

// route is what method and path of a request say.
type route struct {
	op        Op
	autopilot bool
	project   string
	cluster   string
}

// parseRoute knows the paths of the API reference and nothing else: no
// trailing slash, no other method.
func parseRoute(method, path string) route {
	switch {
	case path == "/" && method == http.MethodGet:
		return route{op: OpVersion}
	case path == "/v3/projects" && method == http.MethodGet:
		return route{op: OpProjects}
	case path == "/v3.0/OS-AUTH/id-token/tokens" && method == http.MethodPost:
		return route{op: OpIDToken}
	case path == "/v3.0/OS-CREDENTIAL/securitytokens" && method == http.MethodPost:
		return route{op: OpSecurityToken}
	}
	if rest, ok := strings.CutPrefix(path, "/api/v3/projects/"); ok {
		return clusterRoute(method, strings.Split(rest, "/"), false)
	}
	if rest, ok := strings.CutPrefix(path, "/autopilot/v3/projects/"); ok {
		return clusterRoute(method, strings.Split(rest, "/"), true)
	}
	return route{op: OpUnknown}
}

// clusterRoute reads {project}/clusters[/{cluster}[/{verb}]].
func clusterRoute(method string, parts []string, autopilot bool) route {
	rt := route{op: OpUnknown, autopilot: autopilot}
	if len(parts) < 2 || len(parts) > 4 || parts[0] == "" || parts[1] != "clusters" {
		return rt
	}
	rt.project = parts[0]
	if len(parts) == 2 {
		if method == http.MethodGet {
			rt.op = OpList
		}
		return rt
	}
	if rt.cluster = parts[2]; rt.cluster == "" {
		return rt
	}
	verb := method
	if len(parts) == 4 {
		verb += " " + parts[3]
	}
	switch verb {
	case "GET":
		rt.op = OpShow
	case "GET openapi":
		rt.op = OpEndpoints
	case "POST clustercert":
		rt.op = OpIssue
	case "POST clustercertrevoke":
		if !autopilot { // Autopilot has no such operation
			rt.op = OpRevoke
		}
	}
	return rt
}
