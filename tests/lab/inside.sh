#!/bin/bash
# Process 1 of a lab: starts its servers, runs the command, and forwards signals to it. Called by lab.sh alone.
set -euo pipefail
. "$LAB_SOURCE/common.sh"

# The machine's /proc is still mounted, so this is the number that lab.sh can send signals to.
read -r machine_pid _ </proc/self/stat
echo "$machine_pid" >"$LAB_DIR/init.pid"
command_pid= got=
forward() {
  got=$1
  [ -z "$command_pid" ] || kill "-$1" "$command_pid" 2>/dev/null || true
}
for signal in TERM INT HUP; do trap "forward $signal" "$signal"; done

fail() {
  echo "lab: $*" >&2
  tail -n 20 "$LAB_DIR"/logs/* >&2 || true
  exit 70
}

export LAB_BIN=$LAB_DIR/bin LAB_ENGINE_ROOT=$LAB_DIR/engine/root LAB_TMP=$LAB_DIR/tmp
export LAB_REGISTRY=123456789012.dkr.ecr.eu-west-1.amazonaws.com LAB_QEMU
LAB_QEMU=$(readlink -f "$LAB_PARTS/emulator/qemu-aarch64-static")
# Two regions' registries, another account's, and the hosts that each region's layers come from.
hosts=("$LAB_REGISTRY" 123456789012.dkr.ecr.us-east-1.amazonaws.com 210987654321.dkr.ecr.eu-west-1.amazonaws.com)
for region in eu-west-1 us-east-1; do hosts+=("prod-$region-starport-layer-bucket.s3.$region.amazonaws.com"); done
# AWS's API under its own names, for clients without AWS_ENDPOINT_URL.
api_hosts=(sts.amazonaws.com)
for region in eu-west-1 us-east-1; do api_hosts+=({api.ecr,sts,ecs,kms}".$region.amazonaws.com"); done

# overlay LOWER NAME: a writable view of a part of the cache.
overlay() {
  mkdir -p "$LAB_DIR/$2"/{root,upper,work}
  mount -t overlay overlay -o "lowerdir=$(readlink -f "$1"),upperdir=$LAB_DIR/$2/upper,workdir=$LAB_DIR/$2/work" "$LAB_DIR/$2/root"
}

private_machine() {
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/lock
  ip link set lo up
  # The machine's own plugins of Docker are not the lab's.
  local plugins
  for plugins in /usr/{lib,libexec,local/lib,local/libexec}/docker; do
    [ ! -d "$plugins" ] || mount -t tmpfs tmpfs "$plugins"
  done
  [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  printf '127.0.0.1 localhost %s\n' "$(hostname)" "${hosts[*]} ${api_hosts[*]}" >"$LAB_DIR/hosts"
  mount --bind "$LAB_DIR/hosts" /etc/hosts
  export SSL_CERT_FILE=$LAB_PARTS/certificate/ca.crt NODE_EXTRA_CA_CERTS=$LAB_PARTS/certificate/ca.crt
}

start_registry() {
  overlay "$LAB_PARTS/seed/storage" registry
  cat >"$LAB_DIR/registry.yml" <<CONFIG
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: "$LAB_DIR/registry/root"}}
http: {addr: "127.0.0.1:5001"}
CONFIG
  "$LAB_PARTS/registry/usr/bin/docker-registry" serve "$LAB_DIR/registry.yml" >"$LAB_DIR/logs/registry" 2>&1 &
}

start_aws() {
  "$LAB_PARTS/aws/venv/bin/python" -m moto.server --host 127.0.0.1 --port 5555 >"$LAB_DIR/logs/moto" 2>&1 &
  node "$LAB_SOURCE/ecr-front.mjs" "$LAB_PARTS/certificate" "$LAB_DIR/environment" >"$LAB_DIR/logs/front" 2>&1 &
  front_pid=$!
}

make_commands() {
  cp -r "$LAB_SOURCE/bin" "$LAB_BIN"
  chmod -R a+rx "$LAB_BIN"
  export PATH=$LAB_BIN:$PATH
}

await_aws() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    [ ! -s "$LAB_DIR/environment" ] || return 0
    kill -0 "$front_pid" 2>/dev/null || break
    sleep 0.05
  done
  fail "the registry's front did not start."
}

digest_of() { node -p 'JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]' "$LAB_PARTS/seed/images.json" "$1"; }

# What a developer's or an agent's own shell carries must not decide how a test ends.
unset "${!AWS_@}" "${!DOCKER_@}" {http,https,all,no}_proxy {HTTP,HTTPS,ALL,NO}_PROXY SSL_CERT_DIR
private_machine
make_commands
start_registry
start_aws
overlay "$LAB_ENGINE_PART/root" engine
"$LAB_BIN/engine" assemble "${hosts[@]}"
"$LAB_BIN/engine" start || fail "the Docker Engine did not start."
"$LAB_BIN/binfmt" enter
"$LAB_BIN/binfmt" on
await_aws
. "$LAB_DIR/environment"
LAB_ENGINE_VERSION=$(cat "$LAB_ENGINE_PART/version")
LAB_EMULATOR_IMAGE=$LAB_REGISTRY/lab/binfmt@$(digest_of lab/binfmt:qemu-v7.2)
LAB_EMULATOR_NO_EFFECT_IMAGE=$LAB_REGISTRY/lab/binfmt@$(digest_of lab/binfmt:no-effect)
LAB_STAGING_IMAGE=$LAB_REGISTRY/lab/registry@$(digest_of lab/registry:2)
export LAB=1 LAB_ENGINE_VERSION LAB_EMULATOR_IMAGE LAB_EMULATOR_NO_EFFECT_IMAGE LAB_STAGING_IMAGE LAB_IMAGES=$LAB_PARTS/seed/images.json
export AWS_EC2_METADATA_DISABLED=true
# Another lab may run beside this one, so its tests leave and search temporary files in a folder of their own.
export TMPDIR=$LAB_TMP

[ -z "$got" ] || exit 143
env --default-signal=INT,QUIT "$@" <&0 &
command_pid=$!
await "$command_pid" && exit 0 || exit $?
