#!/bin/bash
# The least that a cold graft can cost: the ARM64 sensor is pulled, and falconutil builds on a stub that the engine has already. The
# program runs outside of any container, so that no second image is pulled for it. Of the environment: SENSOR_ARM64 (a reference with
# a digest), STUB, FALCONUTIL (the stand-in for this machine's platform), CID, DOCKER_CONFIG.
set -eu
patched=bench.invalid/floor:patched

docker pull "$SENSOR_ARM64"
"$FALCONUTIL" patch-image --platform linux/arm64 \
  --source-image-uri "$STUB" --target-image-uri "$patched" --falcon-image-uri "$SENSOR_ARM64" \
  --cid "$CID" --cloud-service ECS_FARGATE --image-pull-policy IfNotPresent
docker image inspect --format '{{json .Config.Entrypoint}}' "$patched" | grep -q falcon-entrypoint
