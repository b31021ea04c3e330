#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Finds or makes the binaries of a real Kubernetes API server for tests, benchmarks and the demo.
#
#   hack/kube-assets.sh                                         etcd, kube-apiserver and kubectl
#   hack/kube-assets.sh --with=kube-controller-manager,etcdutl   and these too
#
# The last line on stdout is the directory that holds them; everything else goes to stderr:
#
#   export KUBEBUILDER_ASSETS="$(hack/kube-assets.sh | tail -n 1)"
#
# It takes the first of these that has all of them:
#   1. $KUBEBUILDER_ASSETS
#   2. this script's cache, below ${XDG_CACHE_HOME:-$HOME/.cache}/clustercredential/kube-assets
#   3. a download by setup-envtest, into that cache
#   4. a build with the Go toolchain from the Go modules pinned in hack/tools/kube, into that cache: minutes once,
#      but it needs nothing other than Go and a Go module proxy
set -euo pipefail

readonly wanted_always=(etcd kube-apiserver kubectl)
readonly wanted_on_request=(kube-controller-manager etcdutl)
readonly download_limit=180 # seconds

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly kube_module="$root/hack/tools/kube"

say() { echo "kube-assets: $*" >&2; }
die() {
  say "$*"
  exit 1
}

usage() {
  sed -n '/^# Finds/,/^set /p' "${BASH_SOURCE[0]}" | sed -e '/^set /d' -e 's/^# \{0,1\}//' >&2
}

# --- what is asked for ----------------------------------------------------------------------------------------------

wanted=("${wanted_always[@]}")

want() {
  local name known
  for name in "$@"; do
    [[ " ${wanted[*]} " == *" $name "* ]] && continue
    known=" ${wanted_on_request[*]} "
    [[ $known == *" $name "* ]] || die "unknown binary \"$name\": choose from ${wanted_on_request[*]}"
    wanted+=("$name")
  done
}

while (($# > 0)); do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    --with=*)
      IFS=, read -r -a names <<<"${1#--with=}"
      want ${names[@]+"${names[@]}"}
      ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) want "$1" ;;
  esac
  shift
done

# missing DIR NAME... prints the names of the binaries that DIR lacks.
missing() {
  local dir="$1" name
  shift
  for name in "$@"; do
    [[ -f $dir/$name && -x $dir/$name ]] || echo "$name"
  done | paste -s -d ' ' -
}

whole() { [[ -z $(missing "$1" "${wanted[@]}") ]]; }

finish() {
  echo "$1"
  exit 0
}

# --- 1. and 2.: already there ---------------------------------------------------------------------------------------

if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  if whole "$KUBEBUILDER_ASSETS"; then
    finish "$(cd "$KUBEBUILDER_ASSETS" && pwd)"
  fi
  say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks $(missing "$KUBEBUILDER_ASSETS" "${wanted[@]}"), so it is not used"
fi

command -v go >/dev/null || die "go is not in PATH: install Go, or set KUBEBUILDER_ASSETS to a directory with ${wanted[*]}"

# The caller's Go settings are for the caller's own builds: -race, -tags, -mod=vendor or a cross-compiling GOOS would
# spoil these. Without cgo no C compiler is needed and the binaries are static.
export GO111MODULE=on GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0
GOOS="$(go env GOHOSTOS)" GOARCH="$(go env GOHOSTARCH)"
export GOOS GOARCH

# version_of MODULE prints the version that hack/tools/kube pins. There is one place to change it.
version_of() {
  awk -v module="$1" '$1 == module && $2 ~ /^v/ {print $2; exit}' "$kube_module/go.mod"
}
kube_version="$(version_of k8s.io/kubernetes)"
etcd_version="$(version_of go.etcd.io/etcd/server/v3)"
[[ -n $kube_version && -n $etcd_version ]] || die "cannot read the versions from $kube_module/go.mod"

cache="${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/clustercredential/kube-assets"
assets="$cache/$kube_version-etcd-$etcd_version-$GOOS-$GOARCH"
whole "$assets" && finish "$assets"

# --- one at a time, and nothing half done ---------------------------------------------------------------------------

# Every binary is made in $work and then renamed into place, on the same file system: whoever looks sees it whole or
# not at all. The lock only saves two runs from doing the same work twice.
mkdir -p "$assets"
readonly lock="$assets.lock"
work=""
child=""
locked=""

# shellcheck disable=SC2317 # reached through the trap
clean_up() {
  trap - EXIT INT TERM HUP
  if [[ -n $child ]]; then
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  [[ -z $work ]] || rm -rf "$work"
  [[ -z $locked ]] || rm -rf "$lock"
}
trap clean_up EXIT
trap 'say "interrupted"; exit 130' INT
trap 'exit 143' TERM HUP

# run COMMAND... in the background and wait, so that a signal is handled now and not after minutes of building.
run() {
  "$@" </dev/null >&2 &
  child=$!
  local status=0
  wait "$child" || status=$?
  child=""
  return "$status"
}

take_lock() {
  local said="" holder
  until mkdir "$lock" 2>/dev/null; do
    holder="$(cat "$lock/pid" 2>/dev/null || true)"
    if [[ -n $holder ]] && ! kill -0 "$holder" 2>/dev/null; then
      say "process $holder left $lock behind: taking over"
      rm -rf "$lock"
      continue
    fi
    [[ -n $said ]] || say "waiting for process ${holder:-?}, which is at work on the same (remove $lock if it is not)"
    said=yes
    run sleep 1
  done
  locked=yes
  echo "$$" >"$lock/pid"
}

take_lock
whole "$assets" && finish "$assets" # someone else made them while this run waited
work="$(mktemp -d "$cache/.work.XXXXXX")"

# --- 3.: download ---------------------------------------------------------------------------------------------------

limit=()
command -v timeout >/dev/null && limit=(timeout "$download_limit")

# download fills the cache with what setup-envtest has: etcd, kube-apiserver and kubectl, no more.
download() {
  local minor="${kube_version#v}" name
  minor="${minor%.*}"
  say "asking setup-envtest for Kubernetes $minor"
  run ${limit[@]+"${limit[@]}"} go -C "$root/hack/tools" tool setup-envtest use "$minor.x" --bin-dir "$work/envtest" \
    >"$work/log" 2>&1 || return 1
  for name in "${wanted_always[@]}"; do
    find "$work/envtest" -type f -name "$name" -exec mv {} "$assets/$name" \;
    chmod 0755 "$assets/$name" || return 1
  done
}

# --- 4.: build ------------------------------------------------------------------------------------------------------

package_of() {
  case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    etcdutl) echo go.etcd.io/etcd/etcdutl/v3 ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

# Clients parse the version that a server reports, and a plain build would report v0.0.0.
stamp() {
  local package number="${kube_version#v}"
  local major="${number%%.*}" rest="${number#*.}"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    echo "-X $package.gitVersion=$kube_version -X $package.gitMajor=$major -X $package.gitMinor=${rest%%.*}" \
      "-X $package.gitTreeState=clean"
  done | tr '\n' ' '
}

build() {
  local name="$1" begin=$SECONDS
  say "building $name from $(package_of "$name")"
  run go -C "$kube_module" build -trimpath -buildvcs=false -ldflags "-s -w $(stamp)" -o "$work/$name" "$(package_of "$name")" ||
    die "cannot build $name"
  mv "$work/$name" "$assets/$name"
  say "built $name in $((SECONDS - begin)) s"
}

begin=$SECONDS
if [[ -n $(missing "$assets" "${wanted_always[@]}") ]] && ! download; then
  say "no download ($(tail -n 1 "$work/log" | cut -c -160)): building with $(go env GOVERSION) instead"
fi
absent="$(missing "$assets" "${wanted[@]}")"
if [[ -n $absent ]]; then
  say "building $absent of Kubernetes $kube_version and etcd $etcd_version. This can take" \
    "minutes (six on two cores with an empty Go build cache), once: later runs find them in $assets"
  for name in $absent; do
    build "$name"
  done
fi
say "ready after $((SECONDS - begin)) s: $assets"
finish "$assets"
