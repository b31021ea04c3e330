#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Makes everything that a release consists of, into DIST: archives of the programs, what each is made of (CycloneDX), the chart,
# install.yaml, and checksums. The same sources and VERSION give the same bytes, wherever and whenever. Run by "make release".
#
#   VERSION           the release, such as v1.2.3 or v1.2.3-rc.1; the programs, the chart and the image's tag carry it
#   IMG               the image; its repository counts, and the tag becomes VERSION
#   PLATFORMS         of the manager, such as "linux/amd64 linux/arm64"
#   PLUGIN_PLATFORMS  of the plugin of kubectl
#   DIST, TOOLS       directories: where it goes, and where kustomize, helm4 and cyclonedx-gomod are
#   SOURCE_DATE_EPOCH the time that the files get. Unset: that of the commit
#   UNRELEASED=1      for trying things out: takes any VERSION and changes that are not committed
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${VERSION:?is not set: which release is it?}" "${IMG:=controller}" "${DIST:=dist}" "${TOOLS:=$PWD/bin}" "${UNRELEASED:=}"
: "${PLATFORMS:=linux/amd64 linux/arm64}"
: "${PLUGIN_PLATFORMS:=linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}"
export LC_ALL=C TZ=UTC

say() { echo "release: $*"; }
die() {
  say "FAILED: $*" >&2
  exit 1
}

# --- what it refuses --------------------------------------------------------------------------------------------------

readonly number='(0|[1-9][0-9]*)' word='(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
chart_version="${VERSION#v}"
if [[ ! $VERSION =~ ^v$number\.$number\.$number(-$word(\.$word)*)?$ ]]; then
  chart_version="0.0.0-${VERSION//[^A-Za-z0-9]/-}" # Helm takes no other
  [[ $UNRELEASED == 1 ]] || die "VERSION is \"$VERSION\": write one such as v1.2.3 or v1.2.3-rc.1, or set UNRELEASED=1 to try things out"
fi
if [[ $UNRELEASED != 1 ]]; then
  changed="$(git status --porcelain)" || die "the state of the work tree cannot be told without git: set UNRELEASED=1 to try things out"
  [[ -z $changed ]] || die "the work tree has changes that are not committed: commit them, or set UNRELEASED=1 to try things out"
fi
[[ $IMG != *@* ]] || die "IMG is \"$IMG\": write the repository; the tag is the VERSION, and the digest is not known yet"
tar --version 2>/dev/null | grep -q "GNU tar" || die "GNU tar is needed: others write archives that differ each time"

: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
[[ $SOURCE_DATE_EPOCH =~ ^[0-9]+$ ]] || die "SOURCE_DATE_EPOCH is \"$SOURCE_DATE_EPOCH\": write seconds since 1970"
repository="$IMG"
[[ ${IMG##*/} != *:* ]] || repository="${IMG%:*}" # a colon before the last slash is that of a port

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
readonly out="$work/out"
mkdir "$out"

# --- the parts --------------------------------------------------------------------------------------------------------

# archive FILE DIRECTORY NAME... packs what is in the directory, with nothing of this machine and this moment.
archive() {
  local file="$1" directory="$2"
  shift 2
  tar --create --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+w \
    --directory="$directory" "$@" | gzip --no-name --best >"$file"
}

# program NAME BINARY PACKAGE PLATFORM builds a program, packs it, and tells what it is made of.
program() {
  local name="$1" binary="$2" package="$3" os="${4%/*}" arch="${4#*/}"
  local full="${name}_${VERSION}_${os}_${arch}" directory="$work/$1-$os-$arch"
  [[ $os != windows ]] || binary="$binary.exe"
  say "$name for $os/$arch"
  mkdir "$directory"
  CGO_ENABLED=0 GOFLAGS="$(go env GOFLAGS) -trimpath" GOOS="$os" GOARCH="$arch" \
    go build -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o "$directory/$binary" "$package"
  cp LICENSE "$directory/"
  archive "$out/$full.tar.gz" "$directory" "$binary" LICENSE
  "$TOOLS/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "$VERSION" -output "$out/$full.cdx.json" \
    "$directory/$binary" 2>"$work/log" || die "what $full is made of: $(cat "$work/log")"
}

# "make build" and the Dockerfile build the manager in the same way.
programs() {
  local platform
  for platform in $PLATFORMS; do program clustercredential-operator manager ./cmd "$platform"; done
  for platform in $PLUGIN_PLATFORMS; do program kubectl-clustercredential kubectl-clustercredential ./cmd/kubectl-clustercredential "$platform"; done
}

# Helm's own archives carry the time. What it has put together is packed again.
chart() {
  say "the chart $chart_version"
  local name=clustercredential-operator directory="$work/chart"
  mkdir "$directory" "$work/sources"
  # What git ignores would be packed too, and is nobody else's.
  git ls-files -z --cached --others --exclude-standard -- config/helm |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --directory="$work/sources"
  cp -R "$work/sources/config/helm/." "$directory/"
  awk -v line="  repository: $repository" '!found && /^  repository: / {print line; found = 1; next} {print} END {exit !found}' \
    config/helm/values.yaml >"$directory/values.yaml" || die "the values of the chart name no repository"
  "$TOOLS/helm4" package "$directory" --version "$chart_version" --app-version "$VERSION" --destination "$work" >/dev/null
  mkdir "$work/packed"
  tar --extract --touch --gzip --file="$work/$name-$chart_version.tgz" --directory="$work/packed"
  archive "$out/$name-$chart_version.tgz" "$work/packed" "$name"
}

installer() {
  say "install.yaml with the image $repository:$VERSION"
  {
    echo "# ClusterCredential operator $VERSION: kubectl apply --server-side -f install.yaml"
    "$TOOLS/kustomize" build config/default | sed "s|image: controller:latest\$|image: $repository:$VERSION|"
  } >"$out/install.yaml"
  grep -q "image: $repository:$VERSION\$" "$out/install.yaml" || die "install.yaml does not have the image"
}

programs
chart
installer
(cd "$out" && sha256sum -- * >"$work/checksums.txt")
mv "$work/checksums.txt" "$out/"

rm -rf "$DIST"
mkdir -p "$DIST"
mv "$out"/* "$DIST/"
(cd "$DIST" && sha256sum --check --quiet checksums.txt)
say "$VERSION is in $DIST:"
(cd "$DIST" && wc -c -- *)
