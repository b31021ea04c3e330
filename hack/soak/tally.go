// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally is what happened in a world.
type tally struct {
	certificates, posts, refusals, discarded, lost int
	storms, kills, losses                          int
	looks, busiest                                 int
	excused                                        map[string]int // expired, though there was no way
}

// String tells it in the words of a log.
func (t tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d certificates by %d calls; %d refused, of which %d discarded; %d calls lost in %d kills; ",
		t.certificates, t.posts, t.refusals, t.discarded, t.lost, t.kills)
	fmt.Fprintf(&b, "%d outages; %d Secrets deleted; %d looks, at most %d an hour and object; 0 expired while there was a way",
		t.storms, t.losses, t.looks, t.busiest)
	for _, why := range slices.Sorted(maps.Keys(t.excused)) {
		fmt.Fprintf(&b, "\n\t%d expired without a way: %s", t.excused[why], why)
	}
	return b.String()
}
