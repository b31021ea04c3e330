// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"container/heap"
	"time"
)

// queue holds one event for each object: when it is looked at next, or when the answer
// to its call comes. As in the queue of controllers, an earlier time replaces a later one.
type queue []*object

// Len, Less, Swap, Push and Pop are for container/heap.
func (q queue) Len() int { return len(q) }

// Less orders by time, then by number: events of one moment have a fixed order,
// whoever else is looked at in that moment.
func (q queue) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].number < q[j].number
}

// Swap exchanges two places.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push appends an object.
func (q *queue) Push(x any) {
	if o, ok := x.(*object); ok {
		o.place = len(*q)
		*q = append(*q, o)
	}
}

// Pop is never used: an object always has a next event.
func (q *queue) Pop() any { return nil }

// move puts an object's event to another time.
func (q *queue) move(o *object, at time.Time) {
	o.at = at
	heap.Fix(q, o.place)
}
