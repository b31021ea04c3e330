// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// wire carries HTTP over pipes: a goroutine that waits for a socket would keep the
// bubble's time from passing.
type wire struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
	// down refuses every connection.
	down atomic.Bool
}

// endpoint is an address of the form that the client takes; nothing resolves it.
const endpoint = "http://127.0.0.1:5443"

var errDown = errors.New("connection refused")

// newWire serves handler until end is called.
func newWire(handler http.Handler) *wire {
	w := &wire{accepted: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(w) }()
	return w
}

// Accept is the server's side of a new connection.
func (w *wire) Accept() (net.Conn, error) {
	select {
	case conn := <-w.accepted:
		return conn, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the server.
func (w *wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// Addr is needed by net/http, and means nothing.
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5443} }

func (w *wire) dial(ctx context.Context) (net.Conn, error) {
	if w.down.Load() {
		return nil, errDown
	}
	client, server := net.Pipe()
	select {
	case w.accepted <- server:
		return client, nil
	case <-w.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// calls are the connections of one process; they end with it.
type calls struct {
	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

func (c *calls) add(conn net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = conn.Close()
		return net.ErrClosed
	}
	if len(c.conns) > 64 { // those of long ago have ended by themselves
		c.conns = c.conns[32:]
	}
	c.conns = append(c.conns, conn)
	return nil
}

func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}
