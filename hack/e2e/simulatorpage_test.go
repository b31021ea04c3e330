// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Somebody runs the simulator and talks to it with curl, as its page shows.
func TestTheCommandsOfTheSimulatorsPageRun(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the page takes curl, which is not here")
	}
	programs := theSuite(t).BinDir()
	address := freeAddress(t)
	r := newReader(t, nil)
	r.follow(route{
		page: "docs/ccesim.md",
		replace: []string{
			"go run ./cmd/ccesim", filepath.Join(programs, "ccesim") + " --listen=" + address,
			"127.0.0.1:8443", address,
			"/tmp/ccesim-ca.pem", filepath.Join(t.TempDir(), "ca.pem"),
		},
		stays: map[string]func(*reader) error{"go run ./cmd/ccesim": func(*reader) error { return answers(address) }},
		prints: map[string]string{
			"curl -s -H":               `"client-certificate-data"`,
			"curl -s $SIM/_sim/ledger": `"clustercert"`,
			"curl -si":                 "429 Too Many Requests",
		},
	})
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

func answers(address string) error {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return errors.New("nobody answers")
	}
	return connection.Close()
}
