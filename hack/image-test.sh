#!/usr/bin/env bash
# Copyright The ClusterCredential Authors.
# SPDX-License-Identifier: Apache-2.0

# Builds the Dockerfile twice with buildah, looks at what came of it, and runs it. No container engine and no registry is needed:
# stand-ins for the two base images are made here, under the very names that the Dockerfile gives them. Run by "make image-test".
#
# It needs root, because of chroot isolation, and buildah and a static busybox, which it installs where that can be done with
# apt. Images and containers lie in a temporary directory of their own and go with it.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export VERSION="${VERSION:-dev}"
readonly built=bin/manager # by "make build", of the same sources and VERSION
readonly user=65532:65532
readonly most=$((80 << 20)) # bytes of the manager: several times that would mean that something else has got in

say() { echo "image-test: $*"; }
die() {
  say "FAILED: $*" >&2
  exit 1
}

# --- what it needs ----------------------------------------------------------------------------------------------------

[[ $(id -u) == 0 ]] || die "only root can build under chroot isolation"
if ! command -v buildah >/dev/null || ! command -v busybox >/dev/null; then
  command -v apt-get >/dev/null || die "buildah and a static busybox are needed, and there is no apt-get to install them with"
  say "installing buildah and busybox-static"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah busybox-static; } >/dev/null
fi
[[ -x $built ]] || die "there is no $built: run \"make image-test\""

work="$(mktemp -d)"
driver=overlay
b() { buildah --root "$work/$driver/images" --runroot "$work/$driver/run" --storage-driver "$driver" "$@"; }

# shellcheck disable=SC2317 # reached through the trap
clean_up() {
  local mounted
  b rm --all >/dev/null 2>&1 || true
  # A build that was interrupted, and buildah's store itself, leave mounts. The deepest goes first.
  awk -v work="$work/" 'index($2, work) == 1 {print $2}' /proc/mounts | sort -r |
    while IFS= read -r mounted; do umount "$mounted" || true; done
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# Overlay is fast. Where the kernel or the file system has none, vfs copies whole images.
tried="$(b from scratch 2>/dev/null)" && b mount "$tried" >/dev/null 2>&1 || driver=vfs
say "$(buildah --version | cut -d ' ' -f 1-3), storage driver $driver"

# --- the base images --------------------------------------------------------------------------------------------------

# base_of ARGUMENT prints the image that the Dockerfile has for it, with the registry that a short name stands for.
base_of() {
  local name
  name="$(sed -n "s/^ARG $1=//p" Dockerfile)"
  [[ -n $name ]] || die "the Dockerfile has no ARG $1"
  case "$name" in */*) echo "$name" ;; *) echo "docker.io/library/$name" ;; esac
}

# The builder has a shell. Go is mounted at its place when it is used.
make_builder() {
  local container root
  container="$(b from scratch)"
  root="$(b mount "$container")"
  mkdir -p "$root"/{bin,etc,tmp,root,usr/local/go,go/pkg/mod}
  chmod 1777 "$root/tmp"
  echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd" # Go's cache is below its home
  cp "$(command -v busybox)" "$root/bin/busybox"
  for tool in sh ls mkdir; do ln -s busybox "$root/bin/$tool"; done
  b config --env GOPATH=/go --env GOTOOLCHAIN=local --env PATH=/go/bin:/usr/local/go/bin:/bin "$container"
  b commit --quiet "$container" "$1" >/dev/null
  b rm "$container" >/dev/null
}

# Distroless has no shell, no package manager and no libc: certificates, time zones, and who is who.
make_final() {
  local container root
  container="$(b from scratch)"
  root="$(b mount "$container")"
  mkdir -p "$root"/{etc/ssl/certs,home/nonroot,tmp}
  chmod 1777 "$root/tmp"
  printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$root/etc/passwd"
  b config --user "$user" --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
  b commit --quiet "$container" "$1" >/dev/null
  b rm "$container" >/dev/null
}

say "making stand-ins for $(base_of BASE_IMAGE) and $(base_of FINAL_IMAGE)"
make_builder "$(base_of BASE_IMAGE)"
make_final "$(base_of FINAL_IMAGE)"

# --- the image --------------------------------------------------------------------------------------------------------

# The modules and what is compiled already come from here: Go's caches go by content, so the bytes are the same as without them.
go mod download
build() {
  b build --isolation chroot --pull-never --no-cache --quiet --timestamp 0 --build-arg VERSION="$VERSION" --tag "$1" \
    --volume "$(go env GOROOT):/usr/local/go:ro" --volume "$(go env GOMODCACHE):/go/pkg/mod:ro" \
    --volume "$(go env GOCACHE):/root/.cache/go-build" . >"$work/build.log" 2>&1 || {
    cat "$work/build.log" >&2
    die "the Dockerfile does not build"
  }
  b inspect --type image --format '{{.FromImageID}}' "$1"
}

say "building the Dockerfile, twice"
first="$(build manager:first)"
second="$(build manager:second)"
[[ $first =~ ^[0-9a-f]{64}$ && $first == "$second" ]] || die "two builds give two images: $first and $second"
say "both times the image $first"

# --- what is in it ----------------------------------------------------------------------------------------------------

# want NAME EXPRESSION VALUE looks at a setting of the image.
want() {
  local got
  got="$(b inspect --type image --format "{{$2}}" manager:first)"
  [[ $got == "$3" ]] || die "its $1 is \"$got\", not \"$3\""
}

want user .OCIv1.Config.User "$user"
want "entry point" .OCIv1.Config.Entrypoint "[/manager]"
want "version label" 'index .OCIv1.Config.Labels "org.opencontainers.image.version"' "$VERSION"

container="$(b from --pull-never manager:first)"
root="$(b mount "$container")"
base="$(b mount "$(b from --pull-never "$(base_of FINAL_IMAGE)")")"
added="$(diff <(cd "$base" && find . | sort) <(cd "$root" && find . | sort) | grep '^[<>]' || true)"
[[ $added == "> ./manager" ]] || die "besides the base image it does not hold just the manager:" "$added"
cmp "$root/manager" "$built" || die "the manager in the image is not the one of \"make build\""
size="$(stat -c %s "$root/manager")"
((size < most)) || die "the manager has $size bytes"
say "it holds the manager of \"make build\", byte for byte ($((size >> 20)) MB), and nothing else"

# --- run it -----------------------------------------------------------------------------------------------------------

run() { b run --isolation chroot "$@" </dev/null; }

said="$(run "$container" -- /manager --version)"
[[ $said == *"$VERSION"* ]] || die "\"manager --version\" says \"$said\", not $VERSION"
who="$(run --volume "$(command -v busybox):/busybox:ro" "$container" -- /busybox id -u)"
[[ $who == "${user%:*}" ]] || die "it runs as user $who"
if run "$container" -- /bin/sh -c true >/dev/null 2>&1; then die "it has a shell"; fi
say "it runs as user $who, without a shell, and says: $said"
say "all in order"
