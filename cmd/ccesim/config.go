// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/clustercredential/operator/hack/ccesim"
)

// file is what --config holds.
type file struct {
	Keys     []ccesim.AccessKey      `json:"keys"`
	Tokens   map[string]ccesim.Token `json:"tokens"` // by value of X-Auth-Token
	Projects []ccesim.Project        `json:"projects"`
	Clusters []ccesim.Cluster        `json:"clusters"`

	PodIdentities     map[string]ccesim.Agency  `json:"podIdentities"` // by token
	Instance          ccesim.Instance           `json:"instance"`
	IdentityProviders []ccesim.IdentityProvider `json:"identityProviders"`
}

// hasCallers says whether anybody has a key or token, or could get one.
func (f *file) hasCallers() bool {
	return len(f.Keys)+len(f.Tokens)+len(f.PodIdentities)+len(f.IdentityProviders) > 0 || f.Instance.Agency.ID != ""
}

// config joins the file and the flags.
func (o *options) config() (ccesim.Config, error) {
	f, err := readFile(o.configFile)
	if err != nil {
		return ccesim.Config{}, fmt.Errorf("--config: %w", err)
	}
	if err := o.addTo(&f); err != nil {
		return ccesim.Config{}, err
	}
	if !f.hasCallers() {
		return ccesim.Config{}, errors.New("nobody could call: give --access-key and --secret-key, --token or --config")
	}
	cfg := ccesim.Config{
		Keys: f.Keys, Tokens: f.Tokens, Projects: f.Projects, Clusters: f.Clusters,
		WritesPerMinute: o.writesPerMinute, GrantedLifetime: o.grantedLifetime, Backdate: o.backdate,
		KeyAlgorithm: ccesim.KeyAlgorithm(o.keyAlgorithm), KeyPool: o.keyPool, Latency: o.latency,
		PodIdentities: f.PodIdentities, Instance: f.Instance, IdentityProviders: f.IdentityProviders, TemporaryLifetime: o.temporaryLifetime,
	}
	return cfg, o.authority(&cfg)
}

func readFile(name string) (file, error) {
	var f file
	if name == "" {
		return f, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return f, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return f, fmt.Errorf("%s: more than one JSON value", name)
	}
	return f, nil
}

func (o *options) addTo(f *file) error {
	if o.accessKey != "" {
		f.Keys = append(f.Keys, ccesim.AccessKey{ID: o.accessKey, Secret: o.secretKey, UserID: o.userID, Groups: o.groups})
	}
	if o.token != "" {
		if f.Tokens == nil {
			f.Tokens = map[string]ccesim.Token{}
		}
		f.Tokens[o.token] = ccesim.Token{UserID: o.userID, Groups: o.groups}
	}
	project := o.addProject(f)
	for _, text := range o.clusters {
		c, err := parseCluster(text)
		if err != nil {
			return fmt.Errorf("--cluster %q: %w", text, err)
		}
		c.ProjectID = project
		f.Clusters = append(f.Clusters, c)
	}
	return nil
}

// addProject returns the project for --cluster: that of the flags, or else the
// first of the file.
func (o *options) addProject(f *file) string {
	if o.project == "" && o.region == "" && len(f.Projects) > 0 {
		return f.Projects[0].ID
	}
	p := ccesim.Project{ID: o.project, Name: o.region}
	if p.ID == "" {
		p.ID = defaultProject
	}
	if p.Name == "" {
		p.Name = defaultRegion
	}
	f.Projects = append(f.Projects, p)
	return p.ID
}

func parseCluster(text string) (ccesim.Cluster, error) {
	var c ccesim.Cluster
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return c, fmt.Errorf("%q has no =", part)
		}
		switch name {
		case "id":
			c.ID = value
		case "name":
			c.Name = value
		case "alias":
			c.Alias = value
		case "type":
			c.Type = ccesim.ClusterType(value)
		case "phase":
			c.Phase = value
		case "internal":
			c.InternalURL = value
		case "external":
			c.ExternalURL = value
		case "san":
			c.CustomSANs = append(c.CustomSANs, value)
		case "version":
			c.Version = value
		default:
			return c, fmt.Errorf("unknown name %q", name)
		}
	}
	return c, nil
}
