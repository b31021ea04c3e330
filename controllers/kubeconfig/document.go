// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	"cmp"
	stdjson "encoding/json"
	"errors"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/latest"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

// document is a kubeconfig, and the names of its contexts in the order sent, which
// clientcmd's own type for it does not keep.
type document struct {
	*api.Config
	contextNames []string
}

// load reads JSON or YAML as kubectl would. Errors of the decoders are never passed
// on: they quote the document, and clientcmd's even the keys in it.
func load(data []byte) (document, error) {
	if len(data) > maxDocumentBytes {
		return document{}, invalid("the kubeconfig is larger than %d KiB", maxDocumentBytes>>10)
	}
	if mayExpand(data) {
		return document{}, invalid("the kubeconfig uses YAML aliases (or the character *), which are not accepted")
	}
	sent, err := decode(data)
	if err == nil && len(sent.Contexts) > maxContexts {
		return document{}, invalid("the kubeconfig has more than %d contexts", maxContexts)
	}
	read := document{Config: api.NewConfig()}
	if err == nil {
		err = latest.Scheme.Convert(sent, read.Config, nil)
	}
	if err != nil {
		return document{}, invalid("the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice")
	}
	for _, context := range sent.Contexts {
		read.contextNames = append(read.contextNames, context.Name)
	}
	return read, nil
}

// decoders are tried in this order. The second is what clientcmd.Load reads with: it takes everything for YAML, which costs several
// times as much where it is JSON, as the cloud's answers are.
var decoders = []runtime.Decoder{
	json.NewSerializerWithOptions(json.DefaultMetaFactory, latest.Scheme, latest.Scheme, json.SerializerOptions{}),
	json.NewSerializerWithOptions(json.DefaultMetaFactory, latest.Scheme, latest.Scheme, json.SerializerOptions{Yaml: true}),
}

func decode(data []byte) (sent *v1.Config, err error) {
	kind := latest.ExternalVersion.WithKind("Config")
	for _, decoder := range decoders {
		sent = &v1.Config{}
		var read runtime.Object
		// What says that it is of another version is read into another object: clientcmd would take its internal one, too.
		if read, _, err = decoder.Decode(data, &kind, sent); err == nil && read == runtime.Object(sent) {
			latest.Scheme.Default(sent)
			return sent, nil
		}
	}
	return nil, cmp.Or(err, errors.New("of another kind"))
}

// mayExpand tells whether YAML aliases may be in the document. The YAML library
// bounds how many nodes aliases make, and not how long they are: one string of
// 500 KiB and 100,000 aliases of it, under 1 MiB, become 50 GB on the way to JSON.
// So an asterisk is only accepted in JSON, where it always stands in quotes.
func mayExpand(data []byte) bool {
	return bytes.IndexByte(data, '*') >= 0 && !stdjson.Valid(data)
}
