// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

func (g *registry) cluster(id string) (*storedCluster, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	c, ok := g.clusters[id]
	return c, ok
}

// clustersOf returns a project's clusters of one type, ordered by name.
func (g *registry) clustersOf(project string, t ClusterType) []*storedCluster {
	g.mu.RLock()
	all := slices.Collect(maps.Values(g.byProject[project]))
	g.mu.RUnlock()
	all = slices.DeleteFunc(all, func(c *storedCluster) bool { return c.Type != t })
	slices.SortFunc(all, func(a, b *storedCluster) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (g *registry) addCluster(c Cluster, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, exists := g.clusters[c.ID]; exists {
		return fmt.Errorf("cluster %s is there already", c.ID)
	}
	return g.store(c, now, now)
}

func (g *registry) updateCluster(id string, now time.Time, change func(*Cluster)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	old, exists := g.clusters[id]
	if !exists {
		return fmt.Errorf("cluster %s does not exist", id)
	}
	c := old.clone()
	change(&c)
	if c.ID != id {
		return fmt.Errorf("cluster %s: the ID cannot change", id)
	}
	project := old.ProjectID
	if err := g.store(c, old.created, now); err != nil {
		return err
	}
	if c.ProjectID != project {
		delete(g.byProject[project], id)
	}
	return nil
}

func (g *registry) removeCluster(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, exists := g.clusters[id]
	if exists {
		delete(g.clusters, id)
		delete(g.byProject[c.ProjectID], id)
	}
	return exists
}

// store needs the lock.
func (g *registry) store(c Cluster, created, updated time.Time) error {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return err
	}
	if _, exists := g.projects[c.ProjectID]; !exists {
		return fmt.Errorf("cluster %s: project %q does not exist", c.ID, c.ProjectID)
	}
	stored := &storedCluster{Cluster: c.clone(), created: created, updated: updated}
	if g.byProject[c.ProjectID] == nil {
		g.byProject[c.ProjectID] = map[string]*storedCluster{}
	}
	g.clusters[c.ID], g.byProject[c.ProjectID][c.ID] = stored, stored
	return nil
}
