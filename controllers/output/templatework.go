// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"maps"

	"github.com/clustercredential/operator/controllers/kubeconfig"
)

// Bounds on what the templates of one output may do while they run. Each node runs at most once and calls at most one
// function; what functions read and write is counted, and the two that cost more than their bytes are counted besides. So an
// output costs less than a second at worst, and a usual one a millisecond.
const (
	// maxOutputBytes is for all keys and values. A Secret holds 1 MiB of data, an object in etcd 1.5 MiB with base64 (4/3 of
	// the data) and metadata counted in: half a Secret always fits, and leaves room for keys that others add.
	maxOutputBytes = 512 << 10
	// maxResultBytes is for the result of one function.
	maxResultBytes = 1 << 20
	// maxWorkBytes is for what all functions read and write. It bounds the memory that variables can hold, too.
	maxWorkBytes = 16 << 20
	// maxKubeconfigs and maxPKCS12s are how often these functions may be called. PKCS#12 derives three keys of 2048 rounds.
	maxKubeconfigs = 16
	maxPKCS12s     = 4
)

// work is what the templates of one output have left to do, and what their functions work with.
type work struct {
	credential                          kubeconfig.Credential
	clusterName                         string
	output, bytes, kubeconfigs, pkcs12s int
}

func newWork(c kubeconfig.Credential, clusterName string) *work {
	return &work{
		credential: c, clusterName: clusterName,
		output: maxOutputBytes, bytes: maxWorkBytes, kubeconfigs: maxKubeconfigs, pkcs12s: maxPKCS12s,
	}
}

// room refuses a result before it is made.
func (w *work) room(name string, read, result int) error {
	if result > maxResultBytes {
		return refuse("%s would give more than %d KiB; write less", name, maxResultBytes>>10)
	}
	if w.bytes -= read + result; w.bytes < 0 {
		return refuse("the functions read and write more than %d MiB together; write fewer", maxWorkBytes>>20)
	}
	return nil
}

// of is a function of one text whose result is at most six times as long, so that it can be counted afterwards.
func (w *work) of(name string, f func(string) (string, error)) function {
	return ofText(func(text string) (string, error) {
		result, err := f(text)
		if err != nil {
			return "", err
		}
		return result, w.room(name, len(text), len(result))
	})
}

// functions are all that a template can call. Those that hold the private key are for values only.
func (w *work) functions(secret bool) map[string]function {
	functions := maps.Clone(builtins)
	maps.Copy(functions, map[string]function{
		"b64enc": w.of("b64enc", b64enc), "sha256sum": w.of("sha256sum", sha256sum), "lower": w.of("lower", lower),
		"trim": w.of("trim", trim), "toJson": w.of("toJson", jsonText), "quote": w.of("quote", jsonText), "urlquery": w.of("urlquery", urlquery),
		"host": w.of("host", hostOf), "port": w.of("port", portOf),
		"indent": ofWidth(w.indent), "nindent": ofWidth(w.nindent), "pemJoin": ofTexts(w.pemJoin),
		"default": ofTwo(orDefault), "trimSuffix": ofTwo(w.trimSuffix), "replace": ofThree(w.replace),
	})
	if secret {
		functions["kubeconfig"], functions["pkcs12"] = ofTexts(w.kubeconfig), ofText(w.pkcs12)
	}
	return functions
}

// functionNames are what the parser may take for a function. It only looks whether there is one of that name.
func functionNames(secret bool) map[string]any {
	names := map[string]any{}
	for name := range (&work{}).functions(secret) {
		names[name] = true
	}
	return names
}
