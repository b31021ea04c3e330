// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/stack"
)

// Everything comes in the wrong order, and with a wrong key first: each piece is noticed as soon as it is there.
func TestWhatIsMissingIsToldAndItsArrivalIsNoticed(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"order"}})
	w.startManager()
	keys, account, _ := strings.Cut(accountYAML(), "\n---\n")
	w.apply(credentialYAML("order", "order"))
	w.eventually(eventTime, func() error {
		return w.says("order", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonAccountNotFound)
	})
	w.apply(account)
	w.eventually(eventTime, func() error {
		return w.says("order", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonCredentialsMissing)
	})
	w.apply(keyYAML(theKeys, stack.AccessKey, "wrong"))
	w.eventually(eventTime, func() error {
		return w.says("order", v1alpha1.ConditionIssued, "False", v1alpha1.ReasonUnauthorized)
	})
	w.wantPosts(0) // the look at the cluster was refused already
	w.apply(keys)
	w.waitReady("order")
	w.kubectl("wait", "--for=condition=Ready", "--timeout=20s", "cloudaccount/"+theAccount)
	w.wantPosts(1)
}

func TestAnotherAccountWithTheSameKeyAsksForNothing(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"same"}, keys: []string{"AK-OTHER"}})
	w.startManager()
	id := "{id: " + stack.ClusterID("same") + "}"
	w.apply(accountYAML(), namedAccountYAML("renamed", stack.AccessKey), namedAccountYAML("other", "AK-OTHER"), credentialYAML("same", "same"))
	w.waitReady("same")
	before := w.serial("same")

	w.apply(credentialOf("same", "renamed", id))
	w.eventually(eventTime, func() error {
		if err := w.says("same", v1alpha1.ConditionIssued, "True", v1alpha1.ReasonIssued); err != nil {
			return err
		}
		if got := w.get("same").Status.Certificate.Request; !strings.Contains(got, `"renamed"`) {
			return fmt.Errorf("the record still names the account that is not referred to any more: %s", got)
		}
		return nil
	})
	w.wantPosts(1)
	// The first account may go now, and its key may be replaced: the credential does not hang on either.
	w.kubectl("delete", "cloudaccount", theAccount)
	w.apply(credentialOf("same", "other", id))
	w.eventually(eventTime, func() error {
		if w.serial("same") == before {
			return fmt.Errorf("another key's certificate is not there")
		}
		return nil
	})
	w.wantPosts(2)
}

// A changed key, account or grant wakes those that depend on it, and nobody else, by the watches of a running manager.
func TestAChangeWakesThoseThatDependOnItAndNobodyElse(t *testing.T) {
	names := []string{"red-1", "red-2", "blue-1", "blue-2", "lent-1", "away-1"}
	w := newWorld(t, options{clusters: names, keys: []string{"AK-RED", "AK-RED-2", "AK-BLUE"}})
	hub := w.namespace + "-hub"
	w.kubectl("create", "namespace", hub)
	manager := w.startManager("--namespaces="+w.namespace+","+hub, "--cross-namespace-outputs", "--cluster-interval=24h", "--verify-interval=24h", "--zap-log-level=5")
	w.apply(accountYAML(), namedAccountYAML("red", "AK-RED"), namedAccountYAML("blue", "AK-BLUE"))
	for _, name := range names[:4] {
		account, _, _ := strings.Cut(name, "-")
		w.apply(credentialOf(name, account, "{id: "+w.ClusterID(name)+"}"))
	}
	w.lend("lent-1", fmt.Sprintf("{accessKey: {secretRef: {name: %s, namespace: %s}}}", theKeys, w.namespace))
	w.kubectlInput(grantYAML(hub, w.namespace))
	w.apply(credentialYAML("away-1", "away-1", awayYAML(hub, "own-away")))
	w.waitReady(names...)
	w.throughout(5*time.Second, func() error { return nil }) // what they had to do is done

	patch := func(resource, name, how string) func() {
		return func() { w.kubectl("patch", resource, name, "--type=merge", "--patch="+how) }
	}
	const moreAMinute = `{"spec": {"limits": {"issuesPerMinute": 999999}}}`
	for _, change := range []struct {
		what string
		make func()
		want []string
	}{
		{"a key", func() { w.apply(keyYAML("red-keys", "AK-RED-2", canarySecretKey)) }, []string{"red-1", "red-2"}},
		{"an account", patch("cloudaccount", "blue", moreAMinute), []string{"blue-1", "blue-2"}},
		{"a lent account", patch("clustercloudaccount", w.namespace+"-lent-1", moreAMinute), []string{"lent-1"}},
		{"the key of two accounts", func() { w.apply(keyYAML(theKeys, "AK-BLUE", canarySecretKey)) }, []string{"away-1", "lent-1"}},
		{"the grants of a lent account", patch("clustercloudaccount", w.namespace+"-lent-1",
			fmt.Sprintf(`{"spec": {"grants": [{"namespaces": {"names": [%q, "another"]}, "maxValidity": "48h"}]}}`, w.namespace)), []string{"lent-1"}},
		{"a grant", func() {
			w.kubectl("patch", "--namespace="+hub, "credentialgrant", "hub", "--type=merge", `--patch={"spec": {"to": {"labelKeys": ["env"]}}}`)
		}, []string{"away-1"}},
		{"a Secret that carries a credential", func() {
			w.kubectl("label", "secret", "blue-2-kubeconfig", "clustercredential.dev/managed-")
		}, []string{"blue-2"}},
	} {
		before := len(manager.Log())
		change.make()
		var woken []string
		w.eventually(eventTime, func() error {
			if woken = wokenSince(manager.Log()[before:]); len(woken) < len(change.want) {
				return fmt.Errorf("%s: only %v are woken", change.what, woken)
			}
			return nil
		})
		w.throughout(3*time.Second, func() error { return nil })
		if woken = wokenSince(manager.Log()[before:]); !slices.Equal(woken, change.want) {
			t.Errorf("%s wakes %v, want %v", change.what, woken, change.want)
		}
	}
	// The cap counts, though the time from which it does stands in a status that is written later than the grant: the credential is
	// renewed when one of 48 hours would be.
	if renewal := w.get("lent-1").Status.RenewalTime; renewal == nil || time.Until(renewal.Time) > 32*time.Hour {
		t.Errorf("a credential of 30 days under a cap of 48 hours is renewed at %v", renewal)
	}
}

// wokenSince are the ClusterCredentials that a pass was made over in a part of a log, sorted.
func wokenSince(log string) []string {
	var names []string
	for line := range strings.Lines(log) {
		var said struct{ Msg, Controller, Name string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Controller == "clustercredential" && said.Msg == "Reconciling" {
			names = append(names, said.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Whoever wipes or restores status, or restarts the operator, gets the same status again and no certificate.
func TestAWipedStatusIsWrittenAgainWithoutACertificate(t *testing.T) {
	w := newWorld(t, options{clusters: []string{"wiped"}})
	w.startManager()
	w.apply(accountYAML(), credentialOf("wiped", theAccount, "{name: wiped}", "  endpoint: {access: External}"))
	w.waitReady("wiped")
	before := w.get("wiped").Status

	for _, restart := range []bool{false, true} {
		if restart {
			w.must(w.manager().Kill())
		}
		w.kubectl("patch", "clustercredential", "wiped", "--subresource=status", "--type=json",
			`--patch=[{"op": "replace", "path": "/status", "value": {"observedGeneration": -1}}]`)
		if restart {
			w.startManager()
		}
		w.waitReady("wiped")
		after := w.get("wiped").Status
		// Excepted are history, failures and what only the cloud's answer said.
		if b, a := fmt.Sprint(before.Certificate.SerialNumber, before.Server, before.Access, before.ClusterID, before.Cluster, before.Revision, before.RenewalTime, before.Contexts, before.Certificate.Request),
			fmt.Sprint(after.Certificate.SerialNumber, after.Server, after.Access, after.ClusterID, after.Cluster, after.Revision, after.RenewalTime, after.Contexts, after.Certificate.Request); a != b {
			t.Errorf("restart %v: status was\n%s\nand is\n%s", restart, b, a)
		}
	}
	w.throughout(5*time.Second, func() error {
		if n := len(w.posts()); n != 1 {
			return fmt.Errorf("%d certificates were asked for", n)
		}
		return nil
	})
}
