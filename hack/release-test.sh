#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Makes a release twice, in two directories, and fails unless both are the same, byte for byte, and carry their version everywhere.
# Before that it looks at what hack/release.sh has to refuse. Run by "make release-test"; PLATFORMS and PLUGIN_PLATFORMS are as for
# hack/release.sh, but what this machine runs if unset.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=v1.2.3-rc.4 image=registry.example.com:5000/team/clustercredential-operator
host="$(go env GOHOSTOS)/$(go env GOHOSTARCH)"
export PLATFORMS="${PLATFORMS:-$host}" PLUGIN_PLATFORMS="${PLUGIN_PLATFORMS:-$host}" TOOLS="$PWD/bin"

say() { echo "release-test: $*"; }
die() {
  say "FAILED: $*" >&2
  exit 1
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# sources DIRECTORY copies what git knows of the work tree there, and makes a repository of it with one commit.
sources() {
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --directory="$1"
  git -C "$1" init --quiet
  git -C "$1" add --all --force
  GIT_AUTHOR_DATE="@1700000000 +0000" GIT_COMMITTER_DATE="@1700000000 +0000" \
    git -C "$1" -c user.name=release-test -c user.email=release-test@example.com -c commit.gpgsign=false commit --quiet --message=all
}

readonly one="$work/one" two="$work/another/directory/with/a/longer/name"
sources "$one"
sources "$two"

# --- what is refused --------------------------------------------------------------------------------------------------

# refused WORDS COMMAND... expects the command to fail and to say so with these words.
refused() {
  local words="$1" said
  shift
  if said="$("$@" 2>&1)"; then die "not refused: $*"; fi
  [[ $said == *"$words"* ]] || die "refused for another reason than \"$words\": $said"
  [[ ! -e $one/dist ]] || die "it was refused, and has left $one/dist"
}

for wrong in 1.2.3 v1.2 v01.2.3 v1.2.3+build v1.2.3-01 "$(git rev-parse --short HEAD 2>/dev/null || echo 0ab1c2d)-dirty"; do
  refused "VERSION is \"$wrong\"" env VERSION="$wrong" "$one/hack/release.sh"
done
refused "IMG is" env VERSION="$version" IMG="$image@sha256:0123" "$one/hack/release.sh"
echo "// changed" >>"$one/cmd/main.go"
refused "not committed" env VERSION="$version" "$one/hack/release.sh"
git -C "$one" checkout --quiet cmd/main.go
say "a VERSION that is none, a digest and changes that are not committed are refused"

# --- twice the same ---------------------------------------------------------------------------------------------------

VERSION="$version" IMG="$image:latest" "$one/hack/release.sh"
(umask 077 && TZ=Asia/Shanghai VERSION="$version" IMG="$image:latest" "$two/hack/release.sh" >/dev/null)
diff -r "$one/dist" "$two/dist" || die "two releases of the same sources differ"
say "a second one in another directory is the same, byte for byte"

# --- the version ------------------------------------------------------------------------------------------------------

cd "$one/dist"
mkdir "$work/unpacked"
# unpacked NAME unpacks what was made of it for this machine.
unpacked() { tar --extract --gzip --file="$1_${version}_${host/\//_}.tar.gz" --directory="$work/unpacked"; }
if [[ " $PLATFORMS " == *" $host "* ]]; then
  unpacked clustercredential-operator
  said="$("$work/unpacked/manager" --version)"
  [[ $said == *"$version"* ]] || die "the manager says that it is $said"
  make --no-print-directory --silent -C "$two" build VERSION="$version"
  cmp "$work/unpacked/manager" "$two/bin/manager" || die "the manager is not the one that \"make build\" builds"
fi
if [[ " $PLUGIN_PLATFORMS " == *" $host "* ]]; then
  unpacked kubectl-clustercredential
  said="$("$work/unpacked/kubectl-clustercredential" version)"
  [[ $said == *"$version"* ]] || die "the plugin says that it is $said"
fi
tar --extract --gzip --file="clustercredential-operator-${version#v}.tgz" --directory="$work/unpacked"
grep -qxE "appVersion: \"?$version\"?" "$work/unpacked/clustercredential-operator/Chart.yaml" || die "the chart has another appVersion"
rendered="$("$TOOLS/helm4" template "$one/dist/clustercredential-operator-${version#v}.tgz")"
for made in "$rendered" "$(cat install.yaml)"; do
  grep -qE "image: \"?$image:$version\"?\$" <<<"$made" || die "the manifests have another image: $(grep image: <<<"$made")"
done
for file in *.cdx.json; do grep -q "\"version\": \"$version\"" "$file" || die "$file tells another version"; done
[[ $(wc -l <checksums.txt) == "$(($(find . -type f | wc -l) - 1))" ]] || die "checksums.txt does not have every file"
say "programs, chart, install.yaml and lists of parts carry $version"
say "all in order"
