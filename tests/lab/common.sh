# Shared by prepare.sh and lab.sh: where the cache is, how a refusal reads, and which machines the lab can run on.

LAB_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_FIXTURES=$(cd "$LAB_SOURCE/../fixtures" && pwd)
LAB_CACHE=${FALCON_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/falcon-arm64-patch/lab}

refuse() {
  echo "lab: $*" >&2
  exit 1
}

# One sentence instead of a stack of failing commands: the lab needs mounts, namespaces and a foreign-architecture handler.
require_machine() {
  [ "$(uname -s)" = Linux ] || refuse "the lab needs Linux, and this is $(uname -s)."
  [ "$(uname -m)" = x86_64 ] || refuse "the lab needs an x86-64 machine, and this is $(uname -m)."
  [ "$(id -u)" = 0 ] || refuse "the lab needs root, because it mounts file systems and runs a Docker Engine of its own."
  unshare --mount --net --pid --fork true 2>/dev/null ||
    refuse "the lab needs mount, network and process namespaces, and this machine does not allow them."
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || refuse "the lab needs overlayfs in the kernel."
  grep -qw binfmt_misc /proc/filesystems || modprobe binfmt_misc 2>/dev/null || refuse "the lab needs binfmt_misc in the kernel."
}

# await PID: its exit code, however many signals a trap took meanwhile; a trap must set `got`.
await() {
  local code=0 last
  while :; do
    got=
    wait "$1" && last=0 || last=$?
    # 127: it had been waited for already, when the signal came between its end and the question.
    [ "$last" = 127 ] && [ "$code" != 0 ] || code=$last
    [ -n "$got" ] || return "$code"
  done
}
