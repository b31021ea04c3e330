// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/table"
)

// IO is what a command works with besides the API server.
type IO struct {
	// Version is that of the program.
	Version string
	In      io.Reader
	// Out takes results, Err what is said besides.
	Out, Err io.Writer
	Now      func() time.Time
	Env      func(name string) string
	// Terminal is the width of the terminal that Out is; zero: it is none.
	Terminal int
}

// Console is the process' own.
func Console(version string) IO {
	c := IO{Version: version, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Env: os.Getenv}
	out := int(os.Stdout.Fd())
	if term.IsTerminal(out) {
		c.Terminal = 80
		if width, _, err := term.GetSize(out); err == nil && width > 0 {
			c.Terminal = width
		}
	}
	return c
}

// look follows https://no-color.org, CLICOLOR_FORCE and COLUMNS, so that a recording needs no terminal.
func (c IO) look() table.Look {
	look := table.Look{Colour: c.Terminal > 0 && c.Env("TERM") != "dumb", Width: c.Terminal}
	if forced := c.Env("CLICOLOR_FORCE"); forced != "" && forced != "0" {
		look.Colour = true
	}
	if c.Env("NO_COLOR") != "" {
		look.Colour = false
	}
	if width, err := strconv.Atoi(c.Env("COLUMNS")); err == nil && width > 0 {
		look.Width = width
	}
	return look
}
