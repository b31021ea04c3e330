// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// front stands before the API server as a load balancer does that looks at /readyz: it passes connections on, and refuses
// them while it is shut. Clients that go straight to an API server see it as it starts, when it refuses everybody as
// unknown, and whether they notice by that what has happened is luck.
type front struct {
	t                 *testing.T
	address, upstream string

	mu       sync.Mutex
	listener net.Listener
}

func newFront(t *testing.T, server string) *front {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, address: "127.0.0.1:0", upstream: at.Host}
	f.open()
	t.Cleanup(f.shut)
	return f
}

// open takes connections, at the same address as before.
func (f *front) open() {
	f.t.Helper()
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listener, f.address = listener, listener.Addr().String()
	go f.serve(listener)
}

// shut refuses connections. Those that are open end with their server.
func (f *front) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.listener.Close()
}

func (f *front) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // shut
		}
		go f.pass(client)
	}
}

func (f *front) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", f.upstream)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}

// asUser is the operator, by way of the front.
func (f *front) asUser(operator *rest.Config) *rest.Config {
	user := rest.CopyConfig(operator)
	user.Host = "https://" + f.address
	return user
}
