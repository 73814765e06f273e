#!/bin/bash
# Runs a command in a private machine: Docker Engine, a registry under ECR's name, and AWS's API, all on a loopback of its own.
# Usage: lab.sh [--store overlay2|containerd] [--engine 28|26] -- COMMAND [ARGUMENT…]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

LAB_STORE=overlay2 engine=28
while [ $# -gt 0 ]; do
  case $1 in
    --store) LAB_STORE=${2:-} && shift 2 ;;
    --engine) engine=${2:-} && shift 2 ;;
    --) shift && break ;;
    *) refuse "unknown argument $1; usage: lab.sh [--store overlay2|containerd] [--engine 28|26] -- COMMAND [ARGUMENT…]" ;;
  esac
done
case $LAB_STORE in overlay2 | containerd) ;; *) refuse "--store is overlay2 or containerd, not $LAB_STORE." ;; esac
case $engine in 28 | 26) ;; *) refuse "--engine is 28 or 26, not $engine." ;; esac
[ $# -gt 0 ] || refuse "a command is missing after --."

# The lock keeps prepare.sh, of another checkout perhaps, from removing parts that this lab stands on.
"$LAB_SOURCE/prepare.sh"
exec 9>>"$LAB_CACHE/labs.lock"
flock --shared 9

LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/falcon-lab.XXXXXX")
chmod 755 "$LAB_DIR"
export LAB_DIR LAB_STORE LAB_SOURCE LAB_CACHE LAB_ENGINE_PART=$LAB_CACHE/engine-$engine LAB_CGROUP=/${LAB_DIR##*/}
mkdir "$LAB_DIR/tmp" "$LAB_DIR/logs"

tidy() {
  local mount
  rm -rf "$LAB_DIR"
  # Control groups outlive the containers they were made for.
  while read -r mount; do
    find "$mount$LAB_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done < <(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts)
}
trap tidy EXIT

# The child's first process is process 1 of its own process namespace: when it ends, the kernel ends everything else there, and the
# mounts and the network go with the last process. Background children of a shell ignore SIGINT, hence env.
setpriv --pdeathsig KILL env --default-signal=INT,QUIT unshare --mount --net --pid --fork --kill-child \
  bash "$LAB_SOURCE/inside.sh" "$@" <&0 &
child=$!

forward() { [ -s "$LAB_DIR/init.pid" ] && kill "-$1" "$(cat "$LAB_DIR/init.pid")" 2>/dev/null || true; }
trap 'forward TERM' TERM
trap 'forward HUP' HUP
# A terminal sends its interrupt to the command by itself.
if [ -t 0 ]; then trap : INT; else trap 'forward INT' INT; fi

code=0
while :; do
  wait "$child" && code=0 || code=$?
  kill -0 "$child" 2>/dev/null || break
done
exit "$code"
