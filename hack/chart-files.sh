#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Copies what the chart shares with the rest of config/ into config/helm/files: a chart can read only what lies in it. The
# templates take rules, CustomResourceDefinitions and ports from there, so that no way to install says it otherwise.
# Run by "make manifests".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../config"

files=helm/files
rm -rf "$files"
mkdir -p "$files"/{crds,rbac,namespaced}
cp crd/bases/*.yaml "$files/crds/"
cp rbac/*role.yaml "$files/rbac/"
cp namespaced/operator/cluster_role.yaml namespaced/namespace/role.yaml "$files/namespaced/"
cp network-policy/network_policy.yaml "$files/"
mkdir "$files"/{prometheus,grafana}
cp prometheus/rules.yaml "$files/prometheus/"
cp grafana/*.json "$files/grafana/"
