#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Has Prometheus' own tool read the alerts and the dashboards' expressions, and try the alerts on made-up series
# (config/prometheus/tests). Run by "make alerts-test".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

promtool="$(hack/promtool.sh | tail -n 1)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
go run ./hack/promrules "$work"
cp -R config/prometheus/tests "$work/tests"
"$promtool" check rules --lint-fatal "$work"/*.yaml
"$promtool" test rules "$work"/tests/*.yaml
