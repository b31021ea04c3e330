// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command ccesim serves the simulator of the CCE and IAM API; "ccesim --help"
// says how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "ccesim:", err)
		os.Exit(1)
	}
}

// run serves until the context ends. The first line on out is the URL.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	o, err := parseFlags(args, out)
	if err != nil {
		return err
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	sim, err := ccesim.New(cfg)
	if err != nil {
		return err
	}
	if o.writeCA != "" {
		if err := os.WriteFile(o.writeCA, sim.ClientCAPEM(), 0o644); err != nil {
			return fmt.Errorf("--write-ca: %w", err)
		}
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	fmt.Fprintf(out, "%s://%s\n", o.scheme(), listener.Addr())
	return serve(ctx, listener, o, handler(sim, o, errOut))
}

// handler has the admin API below /_sim/ and the cloud's everywhere else.
func handler(sim *ccesim.Server, o *options, log io.Writer) http.Handler {
	admin := sim.AdminHandler()
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_sim/") {
			admin.ServeHTTP(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	})
	if o.logRequests {
		return logged(all, log)
	}
	return all
}

func serve(ctx context.Context, listener net.Listener, o *options, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true) // HTTP/2 has no connection to reset
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	var err error
	if o.tlsCert != "" {
		err = server.ServeTLS(listener, o.tlsCert, o.tlsKey)
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
