// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/clustercredential/operator/controllers/issuer"
)

// object is JSON in the making.
type object = map[string]any

// entry is a named entry of a kubeconfig, such as a cluster.
func entry(name, kind string, content object) object { return object{"name": name, kind: content} }

func context(name, cluster string) object {
	return entry(name, "context", object{"cluster": cluster, "user": "user"})
}

func verified(name, server string) object {
	return entry(name, "cluster", object{"server": server, "certificate-authority-data": testCA().certPEM()})
}

func insecure(name, server string) object {
	return entry(name, "cluster", object{"server": server, "insecure-skip-tls-verify": true})
}

func user(leaf signer) object {
	return entry("user", "user", object{"client-certificate-data": leaf.certPEM(), "client-key-data": leaf.keyPEM()})
}

// answer is a kubeconfig in JSON as the cloud sends it, changed by the functions.
func answer(changes ...func(object)) object {
	document := object{
		"kind": "Config", "apiVersion": "v1", "preferences": object{},
		"clusters":        []object{verified("internalCluster", "https://192.168.0.64:5443")},
		"users":           []object{user(testLeaf())},
		"contexts":        []object{context("internal", "internalCluster")},
		"current-context": "internal",
	}
	for _, change := range changes {
		change(document)
	}
	return document
}

func withEIP(document object) {
	document["clusters"] = append(document["clusters"].([]object),
		insecure("externalCluster", "https://203.0.113.7:5443"),
		verified("externalClusterTLSVerify", "https://203.0.113.7:5443"))
	document["contexts"] = append(document["contexts"].([]object),
		context("external", "externalCluster"), context("externalTLSVerify", "externalClusterTLSVerify"))
	document["current-context"] = "external"
}

// inUser and inCluster set a field of the first user or cluster.
func inUser(field string, value any) func(object) {
	return func(d object) { d["users"].([]object)[0]["user"].(object)[field] = value }
}

func inCluster(field string, value any) func(object) {
	return func(d object) { d["clusters"].([]object)[0]["cluster"].(object)[field] = value }
}

func raw(document object) issuer.Sensitive {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return data
}

// credential is a Credential as Parse gives it.
func credential(t testing.TB, leaf signer) Credential {
	t.Helper()
	got, err := Parse(raw(answer(func(d object) { d["users"] = []object{user(leaf)} })), now)
	if err != nil {
		t.Fatal(err)
	}
	return Credential{Endpoint: Endpoint{Server: got.Contexts[0].Server, CAPEM: got.Contexts[0].CAPEM}, Identity: got.Identity}
}

// reason is the sentence of an *Invalid, or what is wrong with the error.
func reason(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Invalid](err); ok {
		return e.Reason
	}
	return "not an *Invalid: " + err.Error()
}
