// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package world

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// patience bounds what the operator does at once, on a machine that has more to do.
const patience = time.Minute

// Certificate is what a ClusterCredential says of its certificate.
type Certificate struct {
	// Serial is its serial number, in hexadecimal digits.
	Serial string
	// Fingerprint is the SHA-256 of the certificate, in hexadecimal digits.
	Fingerprint string
}

// Apply makes a ClusterCredential of a cluster, with its outputs as in YAML: "[{secretName: a}]".
func (w *World) Apply(t testing.TB, name, cluster, outputs string) {
	t.Helper()
	id, known := w.Clusters[cluster]
	if !known {
		t.Fatalf("the world has no cluster %s", cluster)
	}
	w.Kubectl(t, fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCredential
metadata: {name: %s}
spec:
  accountRef: {name: %s}
  cluster: {id: %s}
  outputs: %s
`, name, w.Account, id, outputs), "apply", "-f", "-")
}

// Issued waits until a ClusterCredential is Ready and every output has its certificate, which it returns.
func (w *World) Issued(t testing.TB, name string) Certificate {
	t.Helper()
	w.Wait(t, name, "condition=Ready")
	return w.await(t, name, "")
}

// Wait waits as a user does, for "condition=Ready".
func (w *World) Wait(t testing.TB, name, what string) {
	t.Helper()
	w.Kubectl(t, "", "wait", "--for="+what, "--timeout="+patience.String(), "clustercredential/"+name)
}

// RequestRenewal asks for another certificate, as a user does.
func (w *World) RequestRenewal(t testing.TB, name, value string) {
	t.Helper()
	w.Kubectl(t, "", "annotate", "--overwrite", "clustercredential", name, "clustercredential.dev/renew-requested-at="+value)
}

// Rotate asks for another certificate and returns it once every output has it. A ClusterCredential gets one a minute.
func (w *World) Rotate(t testing.TB, name string, old Certificate) Certificate {
	t.Helper()
	w.RequestRenewal(t, name, "after-"+old.Serial)
	return w.await(t, name, old.Serial)
}

// await waits until every output has a certificate with another serial number.
func (w *World) await(t testing.TB, name, old string) (found Certificate) {
	t.Helper()
	const what = "{.status.certificate.serialNumber} {.status.certificate.fingerprintSHA256} {.status.outputs[*].state}"
	eventually(t, "a certificate of "+name+" in every output", func() bool {
		words := strings.Fields(w.Kubectl(t, "", "get", "clustercredential", name, "-o", "jsonpath="+what))
		if len(words) < 3 || words[0] == old {
			return false
		}
		for _, state := range words[2:] {
			if state != "Current" {
				return false
			}
		}
		found = Certificate{Serial: words[0], Fingerprint: words[1]}
		return true
	})
	return found
}

// eventually looks until done, and fails when time is up.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still waiting for %s", patience, what)
		}
	}
}
