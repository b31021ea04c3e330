// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import "strings"

// The SDK puts ids into a URL without escaping them, so everything that becomes part
// of a URL or a header is checked here first, byte by byte: what is not known to be
// harmless makes no request at all.

// isRegion tells whether text can be the id of a region, such as ap-southeast-3.
func isRegion(text string) bool {
	return len(text) <= 64 && madeOf(text, "abcdefghijklmnopqrstuvwxyz0123456789-")
}

// isProjectID tells whether text is 32 lower-case hex digits.
func isProjectID(text string) bool {
	return len(text) == 32 && madeOf(text, "0123456789abcdef")
}

// isClusterID tells whether text is a UUID in its usual form, lower-case.
func isClusterID(text string) bool {
	if len(text) != 36 || !madeOf(text, "0123456789abcdef-") {
		return false
	}
	for i := range len(text) {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (text[i] == '-') {
			return false
		}
	}
	return true
}

// isPrintable tells whether text is printable ASCII, spaces allowed.
func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// madeOf tells whether text is not empty and has no other bytes than these.
func madeOf(text, bytes string) bool {
	for i := range len(text) {
		if strings.IndexByte(bytes, text[i]) < 0 {
			return false
		}
	}
	return text != ""
}
