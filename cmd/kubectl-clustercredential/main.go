// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-clustercredential is a plugin of kubectl: "kubectl clustercredential" looks at ClusterCredentials, asks for
// renewals, hands out kubeconfigs, and finds out whose a leaked one is.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for spec.renewal.windows: not every machine has a database of time zones

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/commands"
)

// version is stamped by the Makefile.
var version = "dev"

func main() {
	log.SetLogger(logr.Discard()) // what matters is said in errors
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := commands.Run(ctx, commands.Console(version), os.Args[1:])
	stop()
	os.Exit(code)
}
