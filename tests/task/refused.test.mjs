// Images that cannot be patched: each cause has its own code, and the agent is left as it was.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { Job, story, taskFolder } from "./agent.mjs";
import { assertFailed } from "./expect.mjs";
import { refuse } from "./job.mjs";
import { fakeEngine, front, inputs, keys, needsLab, registry, sensorTag } from "./lab.mjs";

afterEach(async () => {
  if (process.env.LAB_FRONT) await front("DELETE", "/faults");
});

const image = (name) => `${registry}/${name}`;
const pulled = /Pull the source image/;

const early = [
  [
    "A source without ARM64",
    { sourceImage: image("app/web:amd64-only") },
    "REGISTRY_PLATFORM_MISSING",
    [/linux\/amd64/],
  ],
  [
    "A sensor without ARM64",
    { sensorImage: image(`containersensor:${sensorTag}-amd64-only`) },
    "FALCON_SENSOR_PLATFORM_MISSING",
    [/linux\/amd64/],
  ],
  [
    "A source that is already patched",
    { sourceImage: image("app/web:already-patched") },
    "FALCON_ALREADY_PATCHED",
    [],
  ],
  [
    "A missing source tag",
    { sourceImage: image("app/web:nope") },
    "REGISTRY_IMAGE_NOT_FOUND",
    [
      /nope/,
      /hint: Check the name in `sourceImage`; .*`aws ecr describe-images .*--repository-name app\/web /,
    ],
  ],
  [
    "A missing sensor tag",
    { sensorImage: image("containersensor:nope") },
    "REGISTRY_IMAGE_NOT_FOUND",
    [/nope/, /hint: Check the name in `sensorImage`; /],
  ],
  [
    "A missing target repository",
    { targetImage: image("app/nope:1") },
    "ECR_REPOSITORY_NOT_FOUND",
    [
      /app\/nope/,
      /hint: Check the name in `targetImage`, .*`aws ecr create-repository .*--repository-name app\/nope`/,
    ],
  ],
  [
    "An immutable target tag",
    { targetImage: image("app/immutable:1.0-falcon") },
    "ECR_TAG_IMMUTABLE",
    [
      /1\.0-falcon/,
      /hint: Set a tag in `targetImage` .*`aws ecr put-image-tag-mutability .*filter=1\.0-falcon'`/,
    ],
  ],
  [
    "An immutable additional tag",
    { targetImage: image("app/immutable:new"), additionalTags: "1.0" },
    "ECR_TAG_IMMUTABLE",
    [/`1\.0`/, /hint: Set a tag in `additionalTags` .*IMMUTABLE_WITH_EXCLUSION/],
  ],
  [
    "The source's short form as target",
    { targetImage: "app/web:1.4.2", awsRegion: "eu-west-1" },
    "INPUT_TARGET_IS_SOURCE",
    [/`targetImage`/],
  ],
  [
    "A missing image of the engine",
    { sourceLocation: "engine", sourceImage: "nope:1" },
    "ENGINE_IMAGE_NOT_FOUND",
    [/nope:1/],
  ],
  [
    "A pair of keys that AWS does not know",
    {
      awsAccessKeyId: "AKIAIOSFODNN7EXAMPLE",
      awsSecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    },
    "AWS_CREDENTIALS_INVALID",
    [],
  ],
  [
    "A pair of keys without permission to sign in",
    keys("LIMITED"),
    "AWS_DENIED",
    [/ecr:GetAuthorizationToken/],
  ],
];

for (const [situation, changes, code, patterns] of early) {
  test(`${situation} is refused before any pull`, needsLab, async () => {
    const step = await refuse(inputs(changes), { code, patterns });
    assert.doesNotMatch(story(step), pulled);
  });
}

test("Missing credentials are refused", needsLab, async () => {
  await refuse(inputs({ awsAccessKeyId: "", awsSecretAccessKey: "" }), { code: "AWS_CREDENTIALS_MISSING" });
});

test("Expired keys are reported as expired", needsLab, async () => {
  const body =
    "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
  const json = {
    __type: "ExpiredTokenException",
    message: "The security token included in the request is expired",
  };
  await front("POST", "/faults", {
    match: { pathPattern: "^aws:sts:" },
    answer: { status: 403, headers: { "content-type": "text/xml" }, body },
  });
  const type = "application/x-amz-json-1.1";
  await front("POST", "/faults", {
    match: { pathPattern: "^aws:ecr:" },
    answer: { status: 400, headers: { "content-type": type }, body: json },
  });
  await refuse(inputs(), { code: "AWS_CREDENTIALS_EXPIRED" });
});

const engines = [
  [
    "rootless",
    { info: { SecurityOptions: ["name=seccomp,profile=builtin", "name=rootless"] } },
    "ENGINE_ROOTLESS",
  ],
  ["windows", { info: { OSType: "windows" }, version: { Os: "windows" } }, "ENGINE_WINDOWS_CONTAINERS"],
  ["podman", { version: { Components: [{ Name: "Podman Engine", Version: "5.2.0" }] } }, "ENGINE_PODMAN"],
];

for (const [kind, answers, code] of engines) {
  test(`An engine of kind ${kind} is refused`, needsLab, async () => {
    const job = new Job();
    const engine = await fakeEngine(job.root, answers);
    try {
      await refuse(inputs(), { code, env: { DOCKER_HOST: engine.host } });
    } finally {
      await engine.close();
      job.end();
    }
  });
}

const addresses = [
  ["without a listener", "unix:///nowhere/docker.sock", "ENGINE_NOT_REACHABLE"],
  ["of another machine without protection", "tcp://192.0.2.1:2375", "ENGINE_REMOTE"],
];

for (const [situation, DOCKER_HOST, code] of addresses) {
  test(`An engine address ${situation} is refused`, needsLab, async () => {
    await refuse(inputs(), { code, env: { DOCKER_HOST } });
  });
}

test("An engine that the agent's user may not use is refused", needsLab, async (context) => {
  const uid = 65534;
  // A clone below root's home is out of another user's sight, and so is its Node.
  const sight = spawnSync(process.execPath, [join(taskFolder, "post.js")], {
    uid,
    gid: uid,
    env: {},
    cwd: "/",
  });
  if (sight.status !== 0) return context.skip("another user cannot read this folder");
  await refuse(inputs(), { code: "ENGINE_NOT_PERMITTED", uid });
});

const marker = {
  skip: needsLab.skip || (existsSync("/.dockerenv") ? false : "this machine is not a container"),
};

test("A container job without the engine's socket is refused", marker, async () => {
  const socket = "/var/run/docker.sock";
  renameSync(socket, `${socket}.away`);
  try {
    const job = new Job({ variables: { "Agent.ContainerId": "0123456789ab" } });
    const step = await job.run(inputs());
    assert.match(assertFailed(step, "ENGINE_IN_CONTAINER_JOB"), /container/);
    job.end();
  } finally {
    renameSync(`${socket}.away`, socket);
  }
});

const variants = [
  ["fails", "FALCONUTIL_FAILED", [/stand-in failure asked for by its variant/]],
  ["no-effect", "FALCONUTIL_NO_EFFECT", []],
  ["no-image", "FALCONUTIL_NO_EFFECT", []],
];

for (const [variant, code, patterns] of variants) {
  test(`The falconutil variant ${variant} is detected`, needsLab, async () => {
    const sensorImage = image(`containersensor:${sensorTag}-${variant}`);
    const step = await refuse(inputs({ sensorImage }), { code, patterns });
    assert.doesNotMatch(story(step), /^Changed:|^Already done:\n {2}pushed/m);
  });
}
