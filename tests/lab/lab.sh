#!/bin/bash
# Runs a command in a private machine: Docker Engine, a registry under ECR's name, and AWS's API, all on a loopback of its own.
# Usage: lab.sh [--store overlay2|containerd] [--engine 28|26] -- COMMAND [ARGUMENT…]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$LAB_SOURCE/machine-binfmt.sh"

usage='usage: lab.sh [--store overlay2|containerd] [--engine 28|26] -- COMMAND [ARGUMENT…]'
LAB_STORE=overlay2 engine=28
while [ $# -gt 0 ]; do
  case $1 in
    --store) LAB_STORE=${2:-} && shift $(($# > 1 ? 2 : 1)) ;;
    --engine) engine=${2:-} && shift $(($# > 1 ? 2 : 1)) ;;
    --) shift && break ;;
    *) refuse "unknown argument $1; $usage" ;;
  esac
done
case $LAB_STORE in overlay2 | containerd) ;; *) refuse "--store is overlay2 or containerd, not \`$LAB_STORE\`." ;; esac
case $engine in 28 | 26) ;; *) refuse "--engine is 28 or 26, not \`$engine\`." ;; esac
[ $# -gt 0 ] || refuse "a command is missing after --; $usage"

# A lab that was killed left its folder; its lock is free.
sweep() {
  local old
  find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'falcon-lab.*' -mmin +1 -print0 | while read -r -d '' old; do
    (exec 5>>"$old/alive" && flock --nonblock 5 && rm -rf "$old") || true
  done
}

tidy() {
  local mount
  rm -rf "$LAB_DIR"
  if flock --nonblock --exclusive 9; then restore_handler; fi
  # Control groups outlive the containers they were made for.
  while read -r mount; do
    find "$mount$LAB_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done < <(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts)
}

got=
forward() {
  got=$1
  [ ! -s "$LAB_DIR/init.pid" ] || kill "-$1" "$(cat "$LAB_DIR/init.pid")" 2>/dev/null || true
}

require_machine
mkdir -p "$LAB_CACHE"
LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/falcon-lab.XXXXXX")
LAB_PARTS=$LAB_DIR/parts LAB_CGROUP=/${LAB_DIR##*/} LAB_ENGINE_PART=$LAB_DIR/parts/engine-$engine
export LAB_DIR LAB_STORE LAB_SOURCE LAB_CACHE LAB_PARTS LAB_ENGINE_PART LAB_CGROUP
exec 6>"$LAB_DIR/alive" 9>>"$LAB_CACHE/labs.lock"
trap tidy EXIT
flock 6
chmod 755 "$LAB_DIR"
mkdir "$LAB_DIR/tmp" "$LAB_DIR/logs"
# A lab that gets the lock alone is the first or the last one.
if flock --nonblock --exclusive 9; then remember_handler; fi
flock --shared 9
sweep
"$LAB_SOURCE/prepare.sh" --engine "$engine" --links "$LAB_PARTS" 6>&- 9>&-

# The child's first process is process 1 of its own process namespace: when it ends, the kernel ends everything else there, and the
# mounts and the network go with the last process. Background children of a shell ignore SIGINT, hence env.
setpriv --pdeathsig KILL env --default-signal=INT,QUIT unshare --mount --net --pid --fork --kill-child \
  bash "$LAB_SOURCE/inside.sh" "$@" <&0 6>&- 9>&- &
child=$!
trap 'forward TERM' TERM
trap 'forward HUP' HUP
# A terminal sends its interrupt to the command by itself.
if [ -t 0 ]; then trap 'got=INT' INT; else trap 'forward INT' INT; fi
await "$child" && exit 0 || exit $?
