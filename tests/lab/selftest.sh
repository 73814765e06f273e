#!/bin/bash
# selftest.sh [ENGINE/STORE…]: proves the lab by itself, without the task. The behaviour of ECR and AWS once, then the patch flow on each
# engine and store named, or on both engines and both stores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[ $# -gt 0 ] || set -- 28/overlay2 28/containerd 26/overlay2 26/containerd
./lab.sh -- node --test --test-reporter=spec selftest/front.test.mjs selftest/ecs.test.mjs
for pair in "$@"; do
  echo "== engine ${pair%/*}, store ${pair#*/}"
  ./lab.sh --engine "${pair%/*}" --store "${pair#*/}" -- selftest/flow.sh
done
echo "== the lab leaves its exit code and nothing else"
code=0
./lab.sh -- sh -c 'echo "$LAB_DIR" >"$1"; exit 7' sh "${TMPDIR:-/tmp}/falcon-selftest.$$" || code=$?
left=$(cat "${TMPDIR:-/tmp}/falcon-selftest.$$")
rm "${TMPDIR:-/tmp}/falcon-selftest.$$"
[ "$code" = 7 ] || { echo "exit code $code instead of 7" >&2 && exit 1; }
[ ! -e "$left" ] || { echo "$left is left behind" >&2 && exit 1; }
echo "the lab is sound"
