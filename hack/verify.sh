#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Checks what a change can leave behind: generated files, modules, formatting and manifests. It changes nothing in the
# work tree, looks at everything before it fails, and says for each finding which target of make puts it right.
# Run by "make verify".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
check() { echo "verify: $1"; }
fail() {
  echo "verify: FAILED: $*" >&2
  failed=1
}

check "generated files"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/before"
ln -s "$PWD/bin" "$work/before/bin" # the tools are built already
# What git knows or would take, as it is now in the work tree.
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
  tar --create --null --files-from=- | tar --extract --directory="$work/before"
cp -Rp "$work/before" "$work/after"
make --no-print-directory -C "$work/after" generate manifests || fail "\"make generate manifests\" does not work"
bin/helm-docs --log-level=warning --sort-values-order=file --chart-search-root="$work/after/config/helm" || fail "\"make chart-docs\" does not work"
diff -ru "$work/before" "$work/after" ||
  fail "generated files are out of date: run \"make generate manifests chart-docs\" and commit the result"

for module in ${MODULES:-.}; do
  check "go.mod and go.sum of $module"
  go mod tidy -C "$module" -diff || fail "the module in $module is not tidy: run \"make tidy\""
done

check "formatting"
unformatted="$(git ls-files -z --cached --others --exclude-standard -- '*.go' | xargs -0 -r gofmt -l)"
[[ -z $unformatted ]] || fail "not formatted: run \"make fmt\" for" "$unformatted"

check "manifests"
for config in config/default config/namespaced config/network-policy config/prometheus config/samples; do
  bin/kustomize build "$config" >/dev/null || fail "$config does not build"
done

if command -v shellcheck >/dev/null; then
  check "shell scripts"
  git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run | xargs -0 -r shellcheck ||
    fail "shellcheck has found something"
else
  echo "verify: shellcheck is not installed, so the shell scripts are not checked"
fi

((failed == 0)) || exit 1
echo "verify: all in order"
