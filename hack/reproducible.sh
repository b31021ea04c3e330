#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the manager twice from what git knows of the work tree, each time in a directory of its own and with an empty build
# cache, and fails unless both have the same bytes. Run by "make reproducible"; it takes two builds from scratch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# build DIRECTORY copies the sources there and builds them. Paths of different lengths would show if a path got into the binary.
build() {
  local here="$work/$1"
  mkdir -p "$here/source"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --directory="$here/source"
  GOCACHE="$here/cache" make --no-print-directory -C "$here/source" build VERSION="${VERSION:-dev}" >&2
  sha256sum "$here/source/bin/manager" | cut -d ' ' -f 1
  rm -rf "$here/cache"
}

first="$(build one)"
second="$(build another/directory/with/a/longer/name)"
echo "first build:  $first"
echo "second build: $second"
if [[ $first != "$second" ]]; then
  echo "reproducible: FAILED: two builds of the same sources differ" >&2
  exit 1
fi
echo "reproducible: the same bytes"
