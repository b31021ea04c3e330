#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Holds the chart to what Helm 3 and Helm 4 say of it, for each file of config/helm/ci: both find nothing to complain of, and
# both render the same. Then it runs the chart's own tests. Run by "make chart-test".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

chart=config/helm
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "chart-test: FAILED: $*" >&2
  failed=1
}

# Blank lines are where they differ.
render() { "bin/$1" template credentials "$chart" --namespace credentials --values "$2" | sed '/^ *$/d'; }

for values in "$chart"/ci/*.yaml; do
  echo "chart-test: $values"
  for helm in helm3 helm4; do
    "bin/$helm" lint --strict --quiet "$chart" --namespace credentials --values "$values" || fail "$helm lint with $values"
    render "$helm" "$values" >"$work/$helm.yaml" || fail "$helm template with $values"
    [[ -s $work/$helm.yaml ]] || fail "$helm renders nothing with $values"
  done
  diff -u "$work/helm3.yaml" "$work/helm4.yaml" || fail "Helm 3 (-) and Helm 4 (+) render $values differently"
done

bin/helm-unittest --strict "$chart" || fail "the tests in $chart/tests"

((failed == 0)) || exit 1
echo "chart-test: all in order"
