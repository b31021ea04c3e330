// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"net/url"
	"strings"
	"time"
)

// The wire form of a cluster: those fields of cce_02_0240 that a reader of
// endpoints, phases and certificates looks at.
type (
	clusterList struct {
		Kind       string        `json:"kind"`
		APIVersion string        `json:"apiVersion"`
		Items      []clusterView `json:"items"`
	}
	clusterView struct {
		Kind       string      `json:"kind"`
		APIVersion string      `json:"apiVersion"`
		Metadata   clusterMeta `json:"metadata"`
		Spec       clusterSpec `json:"spec"`
		Status     clusterStat `json:"status"`
	}
	clusterMeta struct {
		Name     string            `json:"name"`
		UID      string            `json:"uid"`
		Alias    string            `json:"alias"`
		Labels   map[string]string `json:"labels,omitempty"`
		Created  string            `json:"creationTimestamp"`
		Updated  string            `json:"updateTimestamp"`
		Timezone string            `json:"timezone"`
	}
	clusterSpec struct {
		Category        string         `json:"category"`
		Type            string         `json:"type"`
		Flavor          string         `json:"flavor"`
		Version         string         `json:"version"`
		PlatformVersion string         `json:"platformVersion"`
		CustomSAN       []string       `json:"customSan,omitempty"`
		EnableAutopilot bool           `json:"enableAutopilot,omitempty"`
		CA              *authorityView `json:"certificateAuthority,omitempty"`
	}
	authorityView struct {
		Data []byte `json:"data"`
	}
	clusterStat struct {
		Phase     string         `json:"phase"`
		Endpoints []endpointView `json:"endpoints"`
	}
	endpointView struct {
		URL  string `json:"url"`
		Type string `json:"type"`
	}
	endpointsView struct {
		Kind       string         `json:"kind"`
		APIVersion string         `json:"apiVersion"`
		Metadata   endpointsMeta  `json:"metadata"`
		Status     endpointsPairs `json:"status"`
	}
	endpointsMeta struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	}
	endpointsPairs struct {
		Private string `json:"privateEndpoint"`
		Public  string `json:"publicEndpoint"`
	}
)

const timestampForm = "2006-01-02 15:04:05.999999 +0000 UTC"

// clusterOf finds the cluster of the path in its project and its API.
func (s *Server) clusterOf(c *call) (*storedCluster, *apiError) {
	if refused := s.authorize(c); refused != nil {
		return nil, refused
	}
	found, ok := s.registry.cluster(c.route.cluster)
	if !ok || found.ProjectID != c.route.project || found.Type != c.route.clusterType() {
		return nil, notFound()
	}
	return found, nil
}

func (rt route) clusterType() ClusterType {
	if rt.autopilot {
		return Autopilot
	}
	return Standard
}

// show answers GET cluster (cce_02_0238). Only here is the root certificate.
func (s *Server) show(c *call) answer {
	found, refused := s.clusterOf(c)
	if refused != nil {
		return c.refuse(refused)
	}
	view := found.view(c.r.URL.Query())
	view.Spec.CA = &authorityView{Data: s.authority.Load().shownPEM}
	return ok(view)
}

// list answers GET clusters (cce_02_0239). It has filters for status, type and
// version, none for names, and no pages.
func (s *Server) list(c *call) answer {
	if refused := s.authorize(c); refused != nil {
		return c.refuse(refused)
	}
	query := c.r.URL.Query()
	all := clusterList{Kind: "Cluster", APIVersion: "v3", Items: []clusterView{}}
	for _, found := range s.registry.clustersOf(c.route.project, c.route.clusterType()) {
		if v := found.view(query); v.matches(query) {
			all.Items = append(all.Items, v)
		}
	}
	return ok(all)
}

// endpoints answers GET openapi.
func (s *Server) endpoints(c *call) answer {
	found, refused := s.clusterOf(c)
	if refused != nil {
		return c.refuse(refused)
	}
	return ok(endpointsView{
		Kind: "Endpoint", APIVersion: "v3",
		Metadata: endpointsMeta{Name: found.Name, UID: found.ID},
		Status:   endpointsPairs{Private: found.InternalURL, Public: found.ExternalURL},
	})
}

func (c *storedCluster) view(query url.Values) clusterView {
	v := clusterView{
		Kind: "Cluster", APIVersion: "v3",
		Metadata: clusterMeta{
			Name: c.Name, UID: c.ID, Alias: c.Alias, Labels: c.Labels,
			Created: timestamp(c.created), Updated: timestamp(c.updated),
		},
		Spec: clusterSpec{
			Category: "CCE", Type: "VirtualMachine", Flavor: "cce.s1.small", Version: c.Version,
			PlatformVersion: "cce.1.0", CustomSAN: c.CustomSANs, EnableAutopilot: c.Type == Autopilot,
		},
		Status: clusterStat{Phase: c.Phase, Endpoints: []endpointView{{c.InternalURL, "Internal"}}},
	}
	if c.Type == Autopilot {
		v.Spec.Category, v.Spec.Flavor = "Turbo", "cce.autopilot.cluster"
	}
	if c.ExternalURL != "" {
		v.Status.Endpoints = append(v.Status.Endpoints, endpointView{c.ExternalURL, "External"})
	}
	// Without errorStatus, clusters in Error are reported as Deleting.
	if c.Phase == "Error" && query.Get("errorStatus") == "" {
		v.Status.Phase = "Deleting"
	}
	return v
}

func (v clusterView) matches(query url.Values) bool {
	for name, has := range map[string]string{"status": v.Status.Phase, "type": v.Spec.Type, "version": v.Spec.Version} {
		if want := query.Get(name); want != "" && !strings.EqualFold(want, has) {
			return false
		}
	}
	return true
}

func timestamp(t time.Time) string { return t.UTC().Format(timestampForm) }
