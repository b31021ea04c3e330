// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"bytes"
	"encoding/json"
)

// The SDK refuses a whole answer if one field, of which there are hundreds, has another
// type than expected: one odd cluster would hide all others of its project. Open Telekom
// Cloud, for one, writes status.endpoints as an object. So the SDK is shown only the
// fields that are read here. An answer that does not even fit these is left as it is,
// for the SDK to refuse.

type clusterAnswer struct {
	Kind       *string          `json:"kind,omitempty"`
	APIVersion *string          `json:"apiVersion,omitempty"`
	Metadata   *clusterMetadata `json:"metadata,omitempty"`
	Spec       *clusterSpec     `json:"spec,omitempty"`
	Status     *clusterStatus   `json:"status,omitempty"`
}

// clusterSpec is the one part of a cluster's spec that counts; lists do not have it.
type clusterSpec struct {
	CertificateAuthority *clusterAuthority `json:"certificateAuthority,omitempty"`
}

type clusterAuthority struct {
	Data *string `json:"data,omitempty"`
}

// UnmarshalJSON takes a spec of another form for one that does not say: nothing else of it is read.
func (s *clusterSpec) UnmarshalJSON(text []byte) error {
	type plain clusterSpec
	if err := json.Unmarshal(text, (*plain)(s)); err != nil {
		*s = clusterSpec{}
	}
	return nil
}

type clustersAnswer struct {
	Kind  *string          `json:"kind,omitempty"`
	Items *[]clusterAnswer `json:"items,omitempty"`
}

type clusterMetadata struct {
	Name  string  `json:"name"`
	UID   *string `json:"uid,omitempty"`
	Alias *string `json:"alias,omitempty"`
}

type clusterStatus struct {
	Phase     *string          `json:"phase,omitempty"`
	Endpoints clusterEndpoints `json:"endpoints,omitempty"`
}

type clusterEndpoint struct {
	URL  *string `json:"url,omitempty"`
	Type *string `json:"type,omitempty"`
}

type clusterEndpoints []clusterEndpoint

// UnmarshalJSON reads the list [{url, type}] and the object {internal, external}.
func (e *clusterEndpoints) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("{")) {
		return json.Unmarshal(text, (*[]clusterEndpoint)(e))
	}
	var object struct{ Internal, External *string }
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	*e = clusterEndpoints{
		{URL: object.Internal, Type: new("Internal")},
		{URL: object.External, Type: new("External")},
	}
	return nil
}

func reduceCluster(body []byte) []byte  { return reduce[clusterAnswer](body) }
func reduceClusters(body []byte) []byte { return reduce[clustersAnswer](body) }

func reduce[T any](body []byte) []byte {
	var answer *T
	if err := json.Unmarshal(body, &answer); err != nil {
		return body
	}
	reduced, err := json.Marshal(answer)
	if err != nil {
		return body
	}
	return reduced
}
