#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Finds promtool, or takes it out of Debian's package of Prometheus: building it takes minutes. Nothing is installed and no service is
# started. The last line on stdout is its path; everything else goes to stderr.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "promtool: $*" >&2; }

if found="$(command -v promtool)"; then
  echo "$found"
  exit
fi
if [[ ! -x bin/promtool ]]; then
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "promtool is not on the PATH, and this is no Debian to take it from: install Prometheus"
    exit 1
  fi
  say "taking it out of Debian's package"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  (
    cd "$work"
    # Without lists of packages, or with old ones, there is none to be found.
    apt-get download prometheus >&2 || { apt-get update -qq >&2 && apt-get download prometheus >&2; }
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract ./usr/bin/promtool
  )
  mkdir -p bin
  mv "$work/usr/bin/promtool" bin/promtool
fi
echo "$PWD/bin/promtool"
