#!/bin/bash
# What the task is measured against: the patch stage of the hand-written pipeline that it replaces, call by call, without the stages
# that set the agent up (QEMU, buildx, AWS CLI) and sign it in. Of the environment: SOURCE, SENSOR, TARGET (references with tags),
# REGISTRY, TOKEN, CID, DOCKER_CONFIG.
set -u

docker run -d -p 5000:5000 --restart=always --name registry registry:2

docker pull --platform linux/arm64 "$SOURCE"
docker pull --platform linux/arm64 "$SENSOR"
docker tag "$SOURCE" localhost:5000/source:latest
docker tag "$SENSOR" localhost:5000/falcon:latest
docker push localhost:5000/source:latest
docker push localhost:5000/falcon:latest

docker run --platform linux/arm64 --user 0:0 --privileged --network host --rm \
  -v /var/run/docker.sock:/var/run/docker.sock -v "$DOCKER_CONFIG":/root/.docker \
  -e DOCKER_CLI_EXPERIMENTAL=enabled -e DOCKER_BUILDKIT=1 \
  localhost:5000/falcon:latest falconutil patch-image \
  --source-image-uri localhost:5000/source:latest \
  --target-image-uri localhost:5000/target:latest \
  --falcon-image-uri localhost:5000/falcon:latest \
  --cid "$CID" --cloud-service ECS_FARGATE --image-pull-policy IfNotPresent || exit 1

# Nothing has pushed it there, so this fails; the pipeline does not look at its exit code.
docker pull localhost:5000/target:latest
docker tag localhost:5000/target:latest "$TARGET"
docker login --username AWS --password-stdin "$REGISTRY" <<<"$TOKEN"
docker push "$TARGET" || exit 1

docker stop registry
docker rm registry
