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
	"slices"
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
	return serveAll(ctx, o, []service{
		{"", "--listen", o.listen, handler(sim, o, errOut)},
		{"metadata service at", "--metadata-listen", o.metadata, sim.MetadataHandler()},
		{"pod identity at", "--pod-identity-listen", o.podIdentity, sim.PodIdentityHandler()},
	}, out)
}

// service is what listens at one address; without an address it does not.
type service struct {
	name, flag, address string
	handler             http.Handler
}

// serveAll prints where each service listens, and serves until the context or one of them ends. The first alone may have TLS.
func serveAll(ctx context.Context, o *options, services []service, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	services = slices.DeleteFunc(services, func(s service) bool { return s.address == "" })
	listeners := make([]net.Listener, len(services))
	for i, s := range services {
		var listen net.ListenConfig
		listener, err := listen.Listen(ctx, "tcp", s.address)
		if err != nil {
			return fmt.Errorf("%s: %w", s.flag, err)
		}
		defer listener.Close()
		listeners[i] = listener
	}
	ended := make(chan error)
	for i, s := range services {
		scheme, tls := "http", options{}
		if i == 0 {
			scheme, tls = o.scheme(), *o
		}
		fmt.Fprintln(out, strings.TrimSpace(fmt.Sprintf("%s %s://%s", s.name, scheme, listeners[i].Addr())))
		go func() { ended <- serve(ctx, listeners[i], &tls, s.handler) }()
	}
	var errs []error
	for range services {
		errs = append(errs, <-ended)
		cancel()
	}
	return errors.Join(errs...)
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
