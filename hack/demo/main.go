// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// interrupted is what a shell expects of a program that Ctrl-C ended.
const interrupted = 130

func main() {
	quiet := logr.Discard()
	log.SetLogger(quiet)  // or controller-runtime complains
	klog.SetLogger(quiet) // a watch that ends with everything else is no error
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: make demo\n\nShows the operator at work with real servers and a simulated cloud, and ends by itself.")
	}
	flag.Parse()
	os.Exit(run())
}

// run plays the demo, and stops what was started, however it ends.
func run() int {
	// A closed terminal or pipe ends it as Ctrl-C does: with everything stopped.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	p := &play{screen: newScreen(os.Stdout)}
	seen, err := p.play(ctx)
	if ctx.Err() != nil {
		p.screen.say("Stopping, since you asked for it")
	}
	if stopErr := p.stop(); stopErr != nil {
		err = errors.Join(err, fmt.Errorf("stopping: %w", stopErr))
	}
	switch {
	case ctx.Err() != nil:
		return interrupted
	case err != nil:
		p.screen.say("The demo failed: %v", err)
		return 1
	}
	return p.summarize(seen)
}
