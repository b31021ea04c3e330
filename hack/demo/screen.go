// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// How often the table is shown.
const (
	redrawn = 500 * time.Millisecond // in place, on a terminal
	printed = 5 * time.Second        // again, elsewhere
)

// screen prints lines, and below them a table that is redrawn in place if a terminal shows it.
type screen struct {
	out   io.Writer
	began time.Time
	live  bool // a terminal shows it

	mu    sync.Mutex
	drawn int // lines of the table now on the terminal
	last  time.Time
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	kind := os.Getenv("TERM")
	return &screen{out: out, began: time.Now(), live: terminal && kind != "" && kind != "dumb"}
}

// say prints a line with the seconds since the beginning.
func (s *screen) say(format string, args ...any) {
	s.print(fmt.Sprintf("%4.0fs  ", time.Since(s.began).Seconds()) + fmt.Sprintf(format, args...))
}

// command shows a command before it is run.
func (s *screen) command(line string) {
	if s.live {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	s.print("       $ " + line)
}

// output shows what a command printed.
func (s *screen) output(lines []string) {
	for _, line := range lines {
		s.print("       " + line)
	}
}

func (s *screen) print(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintln(s.out, line)
}

// clear takes the table away. The lock is held.
func (s *screen) clear() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.drawn)
	}
	s.drawn = 0
}

// due tells whether it is time to show the table again.
func (s *screen) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	every := printed
	if s.live {
		every = redrawn
	}
	return time.Since(s.last) >= every
}

// draw shows the table.
func (s *screen) draw(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.last = time.Now()
	fmt.Fprintln(s.out)
	for _, line := range lines {
		fmt.Fprintln(s.out, "  "+line)
	}
	fmt.Fprintln(s.out)
	if s.live {
		s.drawn = len(lines) + 2
	}
}

// keep leaves the table where it is.
func (s *screen) keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn = 0
}

// busy says every ten seconds that something still goes on, until it is told that it is over.
func (s *screen) busy() (over func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.say("… still at it; the first build takes a minute or two")
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// Write has the steps of the stack come out as lines.
func (s *screen) Write(p []byte) (int, error) {
	s.say("%s", string(p[:max(0, len(p)-1)]))
	return len(p), nil
}
