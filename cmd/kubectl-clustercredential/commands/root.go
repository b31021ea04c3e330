// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package commands are those of the plugin: each reads the hub as the user's own kubeconfig lets it, and says what to do where
// that does not suffice.
package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	ExitOK = 0
	// ExitError: it could not be done or found out.
	ExitError = 1
	// ExitNo: it was found out, and the answer is no.
	ExitNo = 2
)

// errNo is an answer: it was said already.
var errNo = errors.New("no")

// noError is an answer that is still to be said.
type noError struct{ text string }

func (e *noError) Error() string { return e.text }

// Run runs a command and returns the exit code.
func Run(ctx context.Context, io IO, args []string) int {
	root := New(io) //nolint:contextcheck // cobra gives it to whatever runs
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	no, isNo := errors.AsType[*noError](err)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errNo):
		return ExitNo
	case isNo:
		fmt.Fprintln(io.Err, no.text)
		return ExitNo
	case ctx.Err() != nil:
		fmt.Fprintln(io.Err, "interrupted")
		return ExitError
	}
	fmt.Fprintln(io.Err, "error:", advice(err))
	return ExitError
}

const about = `Looks at ClusterCredentials, asks for renewals, hands out kubeconfigs, and finds out whose a leaked one is.

Exit codes: 0 all is well; 1 it could not be done; 2 the answer is no: a cluster refuses the credential, an audit has findings,
nobody's certificate was asked for, or nothing will change until somebody acts.`

// New makes the command with everything below it.
func New(io IO) *cobra.Command {
	h := newHub(io)
	root := &cobra.Command{
		Use: "kubectl-clustercredential", Short: "Look at and use ClusterCredentials", Long: about, Version: io.Version,
		Annotations:  map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl clustercredential"},
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetIn(io.In)
	root.SetOut(io.Out)
	root.SetErr(io.Err)
	h.bind(root)
	root.AddCommand(
		newList(h), newWhy(h), newRenew(h), newKubeconfig(h), newExecCredential(h), newVerify(h), newAudit(h), newWhose(h), newVersion(h),
	)
	return root
}

func newVersion(h *hub) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(h.Out, h.Version)
			return err
		},
	}
}
