// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// canaries are pieces of a key in every form in which it might be printed.
func canaries(key []byte) []string {
	var found []string
	for line := range strings.Lines(string(key)) {
		line = strings.TrimSpace(line)
		if len(line) > 20 && !strings.HasPrefix(line, "-----") {
			found = append(found, line[:20], hex.EncodeToString([]byte(line[:20])))
		}
	}
	return append(found,
		base64.StdEncoding.EncodeToString(key)[60:90],
		strings.Trim(fmt.Sprint(key[30:50]), "[]"),
		strings.Trim(fmt.Sprintf("%#v", key[30:50]), "[]byte{}"))
}

func checkSecrecy(t *testing.T, where, text string, keys ...[]byte) {
	t.Helper()
	for _, key := range keys {
		if i := slices.IndexFunc(canaries(key), func(canary string) bool { return strings.Contains(text, canary) }); i >= 0 {
			t.Errorf("%s prints the key (canary %d)", where, i)
		}
	}
}

func TestNoTypePrintsTheKey(t *testing.T) {
	document := raw(answer(withEIP))
	got, err := Parse(document, now)
	if err != nil {
		t.Fatal(err)
	}
	c := credential(t, testLeaf())
	for name, value := range map[string]any{
		"Answer": got, "*Answer": &got, "Identity": got.Identity, "Credential": c, "*Credential": &c, "[]Credential": []Credential{c},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			checkSecrecy(t, name+" with "+verb, fmt.Sprintf(verb, value), c.KeyPEM.Reveal())
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		inJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		checkSecrecy(t, name+" in logs and JSON", log.String()+string(inJSON), c.KeyPEM.Reveal())
	}
}

// TestNoErrorQuotesWhatWasSent runs broken answers through Parse and Read. The errors of
// clientcmd would print keys (two entries of one name), those of encoding/json and
// YAML pieces of the document.
func TestNoErrorQuotesWhatWasSent(t *testing.T) {
	leaf := testLeaf()
	whole := string(raw(answer(withEIP)))
	c := credential(t, leaf)
	stored := rendered(t, c)
	documents := []string{
		string(raw(answer(func(d object) { d["users"] = append(d["users"].([]object), user(leaf)) }))),
		string(raw(answer(inUser("exec", string(leaf.keyPEM()))))),
		string(raw(answer(func(d object) { d["kind"] = string(leaf.keyPEM()) }))),
		string(raw(answer(func(d object) { d["apiVersion"] = string(leaf.keyPEM()) }))),
		string(raw(answer(func(d object) { d["contexts"] = []object{context(string(leaf.keyPEM()), "x")} }))),
		string(raw(answer(inCluster("server", string(leaf.keyPEM()))))),
		string(raw(answer(inUser("client-key-data", string(leaf.keyPEM()))))),
		string(raw(answer(inUser("client-certificate-data", leaf.keyPEM())))),
		stored + stored,
		"x: [" + stored,
		strings.Replace(stored, "server:", "token:", 1),
	}
	for i := 50; i < len(whole); i += len(whole) / 40 {
		documents = append(documents, whole[:i], whole[:i]+"\x00"+whole[i:], whole[:i]+`"`+whole[i:])
	}
	for i := 50; i < len(stored); i += len(stored) / 40 {
		documents = append(documents, stored[:i], stored[:i]+"\n"+stored[i:])
	}
	for i, document := range documents {
		_, parseErr := Parse([]byte(document), now)
		_, readErr := Read([]byte(document))
		for _, err := range []error{parseErr, readErr} {
			text := fmt.Sprintf("%v %+v %#v %s", err, err, err, reason(err))
			checkSecrecy(t, fmt.Sprint("document ", i), text, leaf.keyPEM())
			if strings.Contains(text, "not an *Invalid") || strings.Contains(text, "LS0t") {
				t.Errorf("document %d: %s", i, text)
			}
		}
	}
}
