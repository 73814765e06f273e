#!/bin/bash
# The seed flow by hand, inside a lab: pull by digest, patch with the stand-in, look at the result, push it, run it under emulation.
set -euo pipefail
R=$LAB_REGISTRY
export HOME=$LAB_TMP DOCKER_CONFIG=$LAB_TMP/docker

fail() {
  echo "selftest: $*" >&2
  exit 1
}
timed() {
  local started=${EPOCHREALTIME/./}
  "${@:2}"
  echo "$1: $(((${EPOCHREALTIME/./} - started) / 1000)) ms"
}
quiet() { "$@" >"$LAB_TMP/out" 2>&1 || { cat "$LAB_TMP/out" >&2 && fail "$* failed"; }; }
digest() { crane digest --platform "linux/$2" "$R/$1"; }

# patch TARGET [FLAG…] with the sensor image of $tag, natively.
patch() {
  local target=$1
  shift
  docker run --rm --network none --user 0:0 -v /var/run/docker.sock:/var/run/docker.sock "$native" falconutil patch-image \
    --source-image-uri="$source" --target-image-uri "$R/app/target:$target" --falcon-image-uri "$sensor" \
    --cid 0123456789ABCDEF0123456789ABCDEF-12 --cloud-service ECS_FARGATE --container web --image-pull-policy IfNotPresent "$@"
}
use_sensor() {
  native=$R/containersensor@$(digest "containersensor:$1" amd64)
  sensor=$R/containersensor@$(digest "containersensor:$1" arm64)
  quiet docker pull "$native"
  quiet docker pull --platform linux/arm64 "$sensor"
}
look() { docker inspect "$R/app/target:$1" --format "$2"; }

echo 123456789012-auth-token | quiet docker login -u AWS --password-stdin "$R"
source=$R/app/web@$(digest app/web:1.4.2 arm64)
timed 'pull source' quiet docker pull "$source"
timed 'pull sensor' use_sensor 7.39.0-7802

# A build context in the request's body, which falconutil sends, does not reach BuildKit on the containerd store before Docker 27.5:
# https://github.com/moby/moby/issues/47717
if [ "${LAB_ENGINE_VERSION%%.*}" -lt 27 ] && [ "$LAB_STORE" = containerd ]; then
  ! patch never --platform linux/arm64 >"$LAB_TMP/out" 2>&1 || fail "this engine is known to fail here, and it did not"
  grep -q 'failed to read downloaded context' "$LAB_TMP/out" || fail "another failure than the known one: $(cat "$LAB_TMP/out")"
  echo "no patch on Docker $LAB_ENGINE_VERSION with the containerd store, as is known"
  exit 0
fi

timed patch quiet patch 1.4.2-falcon --platform linux/arm64
[ "$(look 1.4.2-falcon '{{.Os}}/{{.Architecture}}')" = linux/arm64 ] || fail "wrong platform"
[ "$(look 1.4.2-falcon '{{json .Config.Entrypoint}}')" = '["/opt/CrowdStrike/rootfs/bin/falcon-entrypoint","/docker-entrypoint.sh"]' ] || fail "wrong entrypoint"
[ "$(look 1.4.2-falcon '{{len .RootFS.Layers}}')" = 3 ] || fail "not exactly one more layer"
case $(look 1.4.2-falcon '{{json .Config.Env}}') in
  *'"FALCONCTL_OPTS=--cid=0123456789ABCDEF0123456789ABCDEF-12","CS_CLOUD_SERVICE=ECS_FARGATE","CS_CONTAINER=web","__CS_FALCON_SENSOR_ROOT='*) ;;
  *) fail "wrong environment" ;;
esac
for field in Cmd User WorkingDir ExposedPorts Volumes Healthcheck StopSignal Labels; do
  [ "$(look 1.4.2-falcon "{{json .Config.$field}}")" = "$(docker inspect "$source" --format "{{json .Config.$field}}")" ] || fail "$field was not kept"
done

timed push quiet docker push "$R/app/target:1.4.2-falcon"
quiet docker run -d --name web --platform linux/arm64 -p 127.0.0.1:8080:8080 "$R/app/target@$(digest app/target:1.4.2-falcon arm64)"
answers() { node -e 'fetch("http://127.0.0.1:8080/").then(async (r) => process.exit((await r.text()).includes("nginx on linux/arm64") ? 0 : 1), () => process.exit(1))'; }
for ((tries = 0; tries < 300; tries++)); do answers && break || sleep 0.1; done
answers || fail "nginx does not answer: $(docker logs web 2>&1)"
case $(docker logs web 2>&1) in
  *'falcon-entrypoint (stand-in)'*) ;;
  *) fail "nginx was not started by the sensor's entrypoint" ;;
esac
quiet docker rm -f web

use_sensor 7.39.0-7802-split-layers
quiet patch two --platform linux/arm64
[ "$(look two '{{len .RootFS.Layers}}')" = 4 ] || fail "not two more layers"
use_sensor 7.39.0-7802-no-effect
quiet patch same --platform linux/arm64
[ "$(look same '{{json .Config.Entrypoint}}')" = '["/docker-entrypoint.sh"]' ] || fail "the variant without effect had one"
use_sensor 7.39.0-7802-no-platform
! patch none --platform linux/arm64 >"$LAB_TMP/out" 2>&1 || fail "the variant without --platform took it"
grep -q 'unknown flag: --platform' "$LAB_TMP/out" || fail "no complaint about --platform: $(cat "$LAB_TMP/out")"

# ARM64 only, under emulation, in a release that has no --platform and builds for its own architecture.
sensor=$R/containersensor@$(digest containersensor:7.32.0-7105.container.aarch64 arm64) native=$sensor
quiet docker pull --platform linux/arm64 "$sensor"
timed 'patch, emulated' quiet patch emulated

"$LAB_BIN/engine" stop
! docker version >/dev/null 2>&1 || fail "the engine answers though it was stopped"
quiet "$LAB_BIN/engine" start

"$LAB_BIN/binfmt" off
! docker run --rm --platform linux/arm64 "$sensor" true >"$LAB_TMP/out" 2>&1 || fail "ARM64 runs though the handler is off"
grep -q 'exec format error' "$LAB_TMP/out" || fail "another failure than the known one: $(cat "$LAB_TMP/out")"
quiet docker run --rm --privileged "$LAB_EMULATOR_NO_EFFECT_IMAGE" --install arm64
[ "$("$LAB_BIN/binfmt" status)" = off ] || fail "the emulator image without effect had one"
quiet docker run --rm --privileged "$LAB_EMULATOR_IMAGE" --install arm64
[ "$(docker run --rm --platform linux/arm64 "$sensor" /bin/busybox uname -m)" = aarch64 ] || fail "the installed emulator does not run"
"$LAB_BIN/binfmt" on
