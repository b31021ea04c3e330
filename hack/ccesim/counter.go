// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import "sync"

// counter counts calls by operation.
type counter struct {
	mu   sync.Mutex
	seen map[Op]int
}

func newCounter() *counter { return &counter{seen: map[Op]int{}} }

func (c *counter) add(op Op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[op]++
}

func (c *counter) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int, len(c.seen))
	for op, n := range c.seen {
		all[string(op)] = n
	}
	return all
}
