// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"io"
	"strings"
	"sync"
)

// tailSize is enough for the last few log lines of a process, among which is why it gave up.
const tailSize = 4 << 10

// tail passes on what a process prints, and remembers the end of it for the error message.
type tail struct {
	out  io.Writer
	mu   sync.Mutex
	last []byte
}

func newTail(out io.Writer) *tail {
	if out == nil {
		out = io.Discard
	}
	return &tail{out: out}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if extra := len(t.last) - tailSize; extra > 0 {
		t.last = append(t.last[:0], t.last[extra:]...)
	}
	return t.out.Write(p)
}

func (t *tail) lastLines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) == 0 {
		return ""
	}
	return "; it printed last:\n" + strings.TrimSpace(string(t.last))
}
