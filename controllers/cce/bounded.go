// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import "sync"

// bounded keeps up to limit values, each of which is made when it is first asked for.
// Beyond that any one makes room: whoever has it goes on using it.
type bounded[K comparable, V any] struct {
	limit  int
	mutex  sync.Mutex
	values map[K]V
}

// get returns the value of the key; what cannot be made is not kept.
func (b *bounded[K, V]) get(key K, create func() (V, error)) (V, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if value, ok := b.values[key]; ok {
		return value, nil
	}
	value, err := create()
	if err != nil {
		return value, err
	}
	if b.values == nil {
		b.values = map[K]V{}
	}
	for old := range b.values {
		if len(b.values) < b.limit {
			break
		}
		delete(b.values, old)
	}
	b.values[key] = value
	return value, nil
}
