// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import "strings"

// What a route says is found by how a command begins, as it stands on the page. What nothing on the page needs is an error: so the
// tables below say no more than what is so.

// skips says whether the route leaves out a command, or a section.
func (r *reader) skips(text string) bool {
	reason, key := longest(r.route.skip, text)
	if key == "" {
		return false
	}
	r.used["skip "+key] = true
	if reason == "" {
		r.t.Errorf("%s: no reason for leaving out %q", r.route.page, key)
	}
	return true
}

// wantOf is what a command has to print.
func (r *reader) wantOf(c command) (string, bool) {
	want, key := longest(r.route.prints, c.text)
	r.used["prints "+key] = true
	return want, key != ""
}

// happening is what happens at a command.
func happening[T any](r *reader, table map[string]T, name string, c command) []T {
	value, key := longest(table, c.text)
	if key == "" {
		return nil
	}
	r.used[name+" "+key] = true
	return []T{value}
}

// longest is the entry whose key is the longest with which text begins.
func longest[T any](table map[string]T, text string) (value T, key string) {
	for k, v := range table {
		if strings.HasPrefix(text, k) && len(k) > len(key) {
			value, key = v, k
		}
	}
	return value, key
}

// notice notes which texts of the route's replacements a block has.
func (r *reader) notice(text string) {
	for i := 0; i+1 < len(r.route.replace); i += 2 {
		if strings.Contains(text, r.route.replace[i]) {
			r.used["replace "+r.route.replace[i]] = true
		}
	}
}

func (r *reader) wantAllUsed() {
	r.t.Helper()
	var keys []string
	for i := 0; i+1 < len(r.route.replace); i += 2 {
		keys = append(keys, "replace "+r.route.replace[i])
	}
	keys = append(keys, keysOf("skip", r.route.skip)...)
	keys = append(keys, keysOf("prints", r.route.prints)...)
	keys = append(keys, keysOf("exits", r.route.exits)...)
	keys = append(keys, keysOf("before", r.route.before)...)
	keys = append(keys, keysOf("after", r.route.after)...)
	keys = append(keys, keysOf("stays", r.route.stays)...)
	for _, key := range keys {
		if !r.used[key] {
			r.t.Errorf("%s has nothing any more for %q of its route", r.route.page, key)
		}
	}
}

func keysOf[T any](name string, table map[string]T) []string {
	var keys []string
	for key := range table {
		keys = append(keys, name+" "+key)
	}
	return keys
}
