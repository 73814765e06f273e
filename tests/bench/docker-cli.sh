#!/bin/bash
# The second thing that the task is measured against: the best that the docker CLI can do, with the engine calls of `strategy: full`
# in their order. Of the environment: SOURCE, SENSOR_ARM64, SENSOR_NATIVE (references with digests), TARGET, CID, DOCKER_CONFIG.
set -eu
patched=bench.invalid/run:patched

docker pull "$SOURCE"
docker pull "$SENSOR_ARM64"
docker pull "$SENSOR_NATIVE"

docker run --rm --network none --user 0:0 -v /var/run/docker.sock:/var/run/docker.sock \
  "$SENSOR_NATIVE" falconutil patch-image --platform linux/arm64 \
  --source-image-uri "$SOURCE" --target-image-uri "$patched" --falcon-image-uri "$SENSOR_ARM64" \
  --cid "$CID" --cloud-service ECS_FARGATE --image-pull-policy IfNotPresent

docker tag "$patched" "$TARGET"
docker push "$TARGET"
docker image rm "$patched" "$TARGET"
