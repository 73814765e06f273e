#!/bin/bash
# Makes what a lab needs, once per machine, in a cache folder outside the repository.
# Usage: prepare.sh [--engine 28|26] [--links FOLDER]; without an engine it makes both.
#
# Each part has a recipe in parts/. Its key is a hash of that recipe and of the files it declares, so a changed recipe rebuilds
# that part alone. A part is built in a temporary folder and renamed, so an interrupted run leaves nothing half made.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Each part is linked by its name into this folder. A lab has links of its own, because another checkout with other recipes may
# prepare the same cache meanwhile.
LAB_PARTS=$LAB_CACHE engine=both
while [ $# -gt 0 ]; do
  case "$1 ${2:-}" in
    '--engine 28' | '--engine 26') engine=$2 ;;
    '--links '?*) LAB_PARTS=$2 ;;
    *) refuse "usage: prepare.sh [--engine 28|26] [--links FOLDER]; FALCON_LAB_CACHE chooses the cache folder." ;;
  esac
  shift 2
done
require_machine
mkdir -p "$LAB_CACHE" "$LAB_PARTS"
exec 8>"$LAB_CACHE/prepare.lock"
flock 8

apt_refreshed=
# Installs only what is missing, and only packages that start no service and touch no kernel setting.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  refresh_apt
  echo "lab: installing ${missing[*]}" >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >"$LAB_CACHE/apt.log" 2>&1 || {
    tail -n 20 "$LAB_CACHE/apt.log" >&2
    refuse "apt-get could not install ${missing[*]}; its output is in $LAB_CACHE/apt.log."
  }
}

refresh_apt() {
  [ -z "$apt_refreshed" ] || return 0
  command -v apt-get >/dev/null || refuse "the lab is made from Debian packages, and this machine has no apt-get."
  apt-get update -q >"$LAB_CACHE/apt.log" 2>&1 || {
    tail -n 20 "$LAB_CACHE/apt.log" >&2
    refuse "apt-get update failed; its output is in $LAB_CACHE/apt.log."
  }
  apt_refreshed=1
}

# Unpacks packages without installing them: their postinst scripts would start services or register kernel handlers.
unpack_packages() {
  local into=$1 downloads deb
  shift
  refresh_apt
  downloads=$(mktemp -d)
  chmod 755 "$downloads"
  (cd "$downloads" && apt-get download -q "$@" >/dev/null 2>"$LAB_CACHE/apt.log") || {
    cat "$LAB_CACHE/apt.log" >&2
    refuse "apt-get could not download $*; its output is in $LAB_CACHE/apt.log."
  }
  for deb in "$downloads"/*.deb; do dpkg -x "$deb" "$into"; done
  rm -rf "$downloads"
}

# A release that is not this machine's own, without a mirror's address: mmdebstrap knows Debian's. The -updates and -security
# indexes of a release under way can be expired, and the lab needs no freshness.
debian_tree() {
  local variant=$1 architecture=$2 release=$3 packages=$4 into=$5
  need_packages mmdebstrap
  mmdebstrap --quiet --variant="$variant" --architectures="$architecture" --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$release" "$into" >&2
}

# make_part NAME RECIPE [ARGUMENT…]: runs the recipe from parts/ unless its key says that this very part was made before.
make_part() {
  local name=$1 recipe=$2 key target building started
  shift 2
  key=$( (printf '%s\n' "$name" "$@"; cat "$LAB_SOURCE/parts/$recipe.sh"; hashed_inputs "$recipe") | sha256sum | cut -c1-16)
  target=$LAB_CACHE/$name-$key
  if [ ! -d "$target" ]; then
    started=$SECONDS
    echo "lab: making $name" >&2
    rm -rf "$LAB_CACHE"/.building-"$name"-*
    building=$(mktemp -d "$LAB_CACHE/.building-$name-XXXXXX")
    chmod 755 "$building"
    (. "$LAB_SOURCE/parts/$recipe.sh" && "recipe_$recipe" "$building" "$@") || refuse "$name could not be made."
    mv "$building" "$target"
    echo "lab: made $name in $((SECONDS - started)) s" >&2
  fi
  touch "$target"
  ln -sfn "$target" "$LAB_PARTS/$name"
}

# The contents of every file that a recipe reads besides itself; file names count too.
hashed_inputs() {
  case $1 in
    aws) cat "$LAB_SOURCE/requirements.txt" ;;
    falconutil) cat "$LAB_FIXTURES/sensor-go/main.go" ;;
    seed)
      (cd "$LAB_SOURCE/.." && find lab/images fixtures/sensor fixtures/emulator fixtures/web lab/repositories.json -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum)
      readlink "$LAB_PARTS"/{registry,emulator,falconutil,tree-web-arm64,tree-tools-amd64,tree-tools-arm64}
      ;;
  esac
}

# Parts that no recipe has asked for in a week are those of former recipes.
drop_old_parts() { find "$LAB_CACHE" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +; }

need_packages iproute2 openssl util-linux mount
make_part registry registry
make_part emulator emulator
make_part falconutil falconutil
make_part certificate certificate
make_part aws aws
make_part cosign cosign forky
make_part engine-28 engine forky crane
make_part tree-web-arm64 tree arm64 nginx-light,dash,coreutils,busybox-static,libc-bin
make_part tree-tools-amd64 tree amd64 dash,coreutils,busybox-static,curl,jq,ca-certificates,libc-bin
make_part tree-tools-arm64 tree arm64 dash,coreutils,busybox-static,curl,jq,ca-certificates,libc-bin
make_part seed seed
# Every lab has the newer engine, whose tree brings crane.
[ "$engine" = 28 ] || make_part engine-26 engine trixie
drop_old_parts
