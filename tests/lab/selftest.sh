#!/bin/bash
# Proves the lab by itself, without the task: ECR's and AWS's manners once, then the patch flow on both engines and both stores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./lab.sh -- node --test selftest/front.test.mjs
for engine in 28 26; do
  for store in overlay2 containerd; do
    echo "== engine $engine, store $store"
    ./lab.sh --engine "$engine" --store "$store" -- selftest/flow.sh
  done
done
echo "== the lab leaves its exit code and nothing else"
code=0
./lab.sh -- sh -c 'echo "$LAB_DIR" >"$1"; exit 7' sh "${TMPDIR:-/tmp}/falcon-selftest.$$" || code=$?
left=$(cat "${TMPDIR:-/tmp}/falcon-selftest.$$")
rm "${TMPDIR:-/tmp}/falcon-selftest.$$"
[ "$code" = 7 ] || { echo "exit code $code instead of 7" >&2 && exit 1; }
[ ! -e "$left" ] || { echo "$left is left behind" >&2 && exit 1; }
echo "the lab is sound"
