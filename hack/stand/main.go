// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// allClusters are those of hack/demo/manifests, so that these can be applied.
const allClusters = "shop,search,billing"

func main() {
	log.SetLogger(zap.New(zap.WriteTo(io.Discard))) // or controller-runtime complains
	flag.Usage = usage
	clusters := flag.String("clusters", allClusters, "the names of the clusters in the cloud")
	binDir := flag.String("bin-dir", "", "a directory with the programs manager and ccesim (default: they are built from the sources here)")
	flag.Parse()
	// A closed terminal or pipe ends it as Ctrl-C does: with everything stopped.
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	s := &stand{
		clusters: strings.Split(*clusters, ","), binDir: *binDir, managerArgs: flag.Args(), out: os.Stdout, progress: os.Stderr,
	}
	err := s.serve(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // it was told to end before it served
	}
	if err = errors.Join(err, s.stop()); err != nil {
		fmt.Fprintln(os.Stderr, "stand:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, `Usage: make stand, or bin/stand [--clusters=NAME,...] [-- FLAG_OF_THE_MANAGER...]

Runs an API server, a simulated cloud and the manager on this machine, until standard input closes or Ctrl-C.`)
	flag.PrintDefaults()
}
