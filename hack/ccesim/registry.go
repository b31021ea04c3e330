// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// registry holds who and what exists. Look-ups cost the same however many
// clusters there are; what they return is never changed afterwards.
type registry struct {
	mu        sync.RWMutex
	keys      map[string]AccessKey
	tokens    map[string]Token
	projects  map[string]Project
	clusters  map[string]*storedCluster
	byProject map[string]map[string]*storedCluster // project → cluster ID
}

type storedCluster struct {
	Cluster
	created, updated time.Time
}

func newRegistry(cfg Config, now time.Time) (*registry, error) {
	g := &registry{
		projects:  map[string]Project{},
		clusters:  make(map[string]*storedCluster, len(cfg.Clusters)),
		byProject: map[string]map[string]*storedCluster{},
	}
	for _, p := range cfg.Projects {
		if err := g.addProject(p); err != nil {
			return nil, err
		}
	}
	if err := g.setKeys(cfg.Keys); err != nil {
		return nil, err
	}
	if err := g.setTokens(cfg.Tokens); err != nil {
		return nil, err
	}
	for _, c := range cfg.Clusters {
		if err := g.addCluster(c, now); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *registry) key(id string) (AccessKey, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	k, ok := g.keys[id]
	return k, ok
}

func (g *registry) token(value string) (Token, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	t, ok := g.tokens[value]
	return t, ok
}

func (g *registry) hasProject(id string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	_, ok := g.projects[id]
	return ok
}

// projectsNamed returns all projects for an empty name, ordered by name.
func (g *registry) projectsNamed(name string) []Project {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var found []Project
	for _, p := range g.projects {
		if name == "" || p.Name == name {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Project) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return found
}

func (g *registry) addProject(p Project) error {
	if err := p.check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, exists := g.projects[p.ID]; exists {
		return fmt.Errorf("project %s is there already", p.ID)
	}
	g.projects[p.ID] = p
	return nil
}

func (g *registry) setKeys(keys []AccessKey) error {
	byID := make(map[string]AccessKey, len(keys))
	for _, k := range keys {
		if err := k.check(); err != nil {
			return err
		}
		if _, exists := byID[k.ID]; exists {
			return fmt.Errorf("access key %s is given twice", k.ID)
		}
		k.Groups, k.Projects = slices.Clone(k.Groups), slices.Clone(k.Projects)
		byID[k.ID] = k
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys = byID
	return nil
}

func (g *registry) setTokens(tokens map[string]Token) error {
	own := make(map[string]Token, len(tokens))
	for value, t := range tokens {
		if value == "" || t.UserID == "" {
			return fmt.Errorf("a token needs a value and a user ID")
		}
		t.Groups, t.Projects = slices.Clone(t.Groups), slices.Clone(t.Projects)
		own[value] = t
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens = own
	return nil
}
