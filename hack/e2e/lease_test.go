// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// leaseRoleYAML grants in a world's own namespace what the shipped role grants where the operator is installed.
const leaseRoleYAML = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: leader-election
rules:
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, update]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: leader-election
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: leader-election
subjects:
- kind: ServiceAccount
  name: ` + serviceAccount + `
  namespace: ` + systemNamespace + `
`

// ownLease moves a request about the Lease into the world's namespace, if it has a Lease of its own. Managers know of one only:
// so worlds that elect leaders would have to wait for each other.
func (w *world) ownLease(r *http.Request) {
	from, to := "/namespaces/"+systemNamespace+"/leases", "/namespaces/"+w.namespace+"/leases"
	if !w.ownsLease || !strings.Contains(r.URL.Path, from) {
		return
	}
	r.URL.Path = strings.Replace(r.URL.Path, from, to, 1)
	if r.Body == nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the API server will say so
	}
	if lease, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, &coordinationv1.Lease{}); err == nil {
		lease.(*coordinationv1.Lease).Namespace = w.namespace // decoded into one
		if body, err = json.Marshal(lease); err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/json")
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}
