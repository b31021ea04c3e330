// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"bytes"
	stdjson "encoding/json"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/versioning"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/latest"
)

// load reads JSON or YAML as kubectl would. Errors of the decoders are never passed
// on: they quote the document, and clientcmd's even the keys in it.
func load(data []byte) (*api.Config, error) {
	if len(data) > maxDocumentBytes {
		return nil, invalid("the kubeconfig is larger than %d KiB", maxDocumentBytes>>10)
	}
	if mayExpand(data) {
		return nil, invalid("the kubeconfig uses YAML aliases (or the character *), which are not accepted")
	}
	config, err := decode(data)
	if err != nil {
		return nil, invalid("the kubeconfig is neither JSON nor YAML of kind Config, or names an entry twice")
	}
	return config, nil
}

// inJSON reads what clientcmd.Load reads, if it is JSON, as the cloud's answers are. clientcmd.Load takes everything for YAML, which
// costs several times as much.
var inJSON = versioning.NewDefaultingCodecForScheme(latest.Scheme, nil,
	json.NewSerializerWithOptions(json.DefaultMetaFactory, latest.Scheme, latest.Scheme, json.SerializerOptions{}), nil, runtime.InternalGroupVersioner)

func decode(data []byte) (*api.Config, error) {
	config, kind := api.NewConfig(), latest.ExternalVersion.WithKind("Config")
	if _, _, err := inJSON.Decode(data, &kind, config); err == nil {
		return config, nil
	}
	return clientcmd.Load(data)
}

// mayExpand tells whether YAML aliases may be in the document. The YAML library
// bounds how many nodes aliases make, and not how long they are: one string of
// 500 KiB and 100,000 aliases of it, under 1 MiB, become 50 GB on the way to JSON.
// So an asterisk is only accepted in JSON, where it always stands in quotes.
func mayExpand(data []byte) bool {
	return bytes.IndexByte(data, '*') >= 0 && !stdjson.Valid(data)
}
