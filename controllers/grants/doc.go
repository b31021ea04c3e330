// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package grants says who may use a ClusterCloudAccount, and for what.
//
// In flow the grants of its spec, the namespace of a ClusterCredential with its labels, and the cluster as the cloud describes
// it; out flows what the one grant allows that lets it have what it asks for, or which rule stands against it. It is pure, and never
// asks the cloud, Kubernetes or a clock. It never looks at what the spec of a tenant says of a cluster.
package grants
