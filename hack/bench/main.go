// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// interrupted is what a shell expects of a program that Ctrl-C ended.
const interrupted = 130

// report is what is written as JSON.
type report struct {
	Machine machine `json:"machine"`
	Runs    []run   `json:"runs"`
}

func main() {
	log.SetLogger(zap.New(zap.WriteTo(io.Discard))) // or controller-runtime complains
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := bench(ctx, os.Args[1:])
	ended := ctx.Err() != nil
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case ended:
		os.Exit(interrupted)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench runs once for each number, and shows what it has even if one fails.
func bench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	numbers := flags.String("n", "100,1000,10000", "comma-separated `numbers` of ClusterCredentials, one run each")
	file := flags.String("json", "dist/bench.json", "`file` to write the figures to, after each run")
	profiles := flags.String("profiles", "", "`directory` for profiles of the manager's CPU and heap, for go tool pprof; empty: none are taken")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sizes, err := parseSizes(*numbers)
	if err != nil {
		return err
	}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o750); err != nil {
			return err
		}
	}
	r := report{Machine: thisMachine()}
	var failed error
	for _, n := range sizes {
		measured, err := measure(ctx, n, *profiles)
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
		if measured != nil {
			r.Runs = append(r.Runs, *measured)
			failed = errors.Join(failed, measured.wrong(), r.write(*file))
		}
	}
	fmt.Print(r.table())
	return failed
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-n: %q is not a number of at least 1", part)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

func (r report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
