#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the manager three times from what git knows of the work tree, each time in a directory of its own and with an empty build
# cache, twice as "make build" does and once as the Dockerfile does, and fails unless all have the same bytes. Run by "make
# reproducible"; it takes three builds from scratch.
set -euo pipefail
shopt -s inherit_errexit # a build that fails in $( ) is to end this
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export VERSION="${VERSION:-dev}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# build DIRECTORY COMMAND copies the sources there and has the command build them. Paths of different lengths would show if a path
# got into the binary.
build() {
  local here="$work/$1" how="$2"
  mkdir -p "$here/source"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --directory="$here/source"
  (cd "$here/source" && GOCACHE="$here/cache" "$how" >&2)
  sha256sum "$here/source/bin/manager" | cut -d ' ' -f 1
  rm -rf "$here"
}

by_make() { make --no-print-directory build VERSION="$VERSION"; }

# The command stands in the Dockerfile, which has no git, no Makefile, and not all of the sources.
by_dockerfile() {
  find . -mindepth 1 -maxdepth 1 ! -name go.mod ! -name go.sum ! -name api ! -name controllers ! -name cmd ! -name Dockerfile -exec rm -rf {} +
  local command
  command="$(sed -n '/^RUN CGO_ENABLED=0/,/[^\\]$/p' Dockerfile)"
  TARGETOS="" TARGETARCH="" bash -euxc "${command#RUN }"
  mkdir -p bin
  mv manager bin/manager
}

first="$(build one by_make)"
second="$(build another/directory/with/a/longer/name by_make)"
third="$(build workspace by_dockerfile)"
echo "by make:                      $first"
echo "by make, elsewhere:           $second"
echo "by the Dockerfile's command:  $third"
if [[ $first =~ ^[0-9a-f]{64}$ && $first == "$second" && $first == "$third" ]]; then
  echo "reproducible: the same bytes"
else
  echo "reproducible: FAILED: builds of the same sources differ" >&2
  exit 1
fi
