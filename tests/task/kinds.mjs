// Kinds of runs, for tests that interrupt each of them at every step.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Job, story } from "./agent.mjs";
import { given as fromCrowdStrike } from "./crowdstrike.mjs";
import { derive } from "./images.mjs";
import { docker, front, inputs, registry } from "./lab.mjs";
import { kmsKey } from "./records.mjs";
import { exampleDefinition } from "./task-definition.mjs";

const web = `${registry}/app/web:1.4.2`;
const engineSource = "interrupted.example/web:1";
const alias = "alias/interrupted";

/** Creates a repository, and returns its name. */
async function repository(name) {
  await front("PUT", `/repositories/${name}`, {});
  return `${registry}/${name}`;
}

/** A variant of the source that only a label tells apart: the graft cache has its answer, and its record is a new one. */
function labelled(name) {
  return derive(web, `interrupted-${name}`, ({ config }) => {
    config.config.Labels = { ...config.config.Labels, interrupted: name };
  });
}

/** Runs a step to its end, so that later runs find what it leaves in the registry. */
async function once(given) {
  const job = new Job();
  try {
    const step = await job.run(given);
    await job.post();
    if (step.result !== "Succeeded") throw new Error(story(step));
  } finally {
    job.end();
  }
}

/** Inputs of a graft that takes falconutil's answer from the cache of a repository. */
async function cached(name, id, changes = {}) {
  const targetImage = `${registry}/interrupted/${name}:${id}`;
  const source = { sourceImage: await labelled(`${name}-${id}`), targetImage };
  return { ...changes, ...source, strategy: "graft", graftCache: "registry" };
}

/** The key that signs; created before the first run that does. */
let key;

/**
 * The kinds. `given` returns the inputs of a run, by an ID that is in all names; `prepare` comes before the first run, and
 * returns the action for the end; `place` writes files into the job. `steps` is the least number of steps to be seen, and
 * `publicKey` returns the key of the records. A kind with a `store` is tried on that one alone, to save time.
 */
export const kinds = {
  full: {
    steps: 10,
    place({ folders }) {
      mkdirSync(join(folders.sources, "ecs"));
      writeFileSync(join(folders.sources, "ecs/web.json"), exampleDefinition());
    },
    given: (id) =>
      inputs({
        targetImage: `${registry}/interrupted/full-${id}:1`,
        additionalTags: "also",
        createRepository: "true",
        containerName: "web",
        taskDefinition: "ecs/web.json",
        taskDefinitionOutput: "ecs/out.json",
        registerTaskDefinition: "true",
      }),
  },
  graft: {
    steps: 9,
    given: (id) =>
      inputs({
        targetImage: `${registry}/interrupted/graft-${id}:1`,
        createRepository: "true",
        strategy: "graft",
        graftCache: "registry",
        builderName: "interrupted",
      }),
  },
  staging: {
    store: "overlay2",
    steps: 8,
    given: (id) =>
      inputs({
        targetImage: `${registry}/app/target:interrupted-staging-${id}`,
        stagingRegistry: "local",
        stagingRegistryImage: process.env.LAB_STAGING_IMAGE,
      }),
  },
  "engine source": {
    store: "containerd",
    steps: 6,
    prepare() {
      docker("pull", "--quiet", "--platform", "linux/arm64", web);
      docker("tag", web, engineSource);
      docker("image", "rm", web);
      return () => docker("image", "rm", engineSource);
    },
    given: (id) =>
      inputs({
        sourceLocation: "engine",
        sourceImage: engineSource,
        targetImage: `${registry}/app/target:interrupted-engine-${id}`,
      }),
  },
  "cached graft": {
    steps: 3,
    store: "containerd",
    hasEngine: false,
    async prepare() {
      await repository("interrupted/cached");
      await once(inputs(await cached("cached", "first")));
    },
    given: async (id) => inputs(await cached("cached", id)),
  },
  signed: {
    steps: 3,
    store: "containerd",
    hasEngine: false,
    publicKey: () => key.publicKey,
    async prepare() {
      await repository("interrupted/signed");
      key = await kmsKey({ alias });
      await once(inputs(await cached("signed", "first", { signingKey: alias })));
    },
    given: async (id) => inputs(await cached("signed", id, { signingKey: alias })),
  },
  mirror: {
    steps: 4,
    store: "containerd",
    hasEngine: false,
    async prepare() {
      await repository("interrupted/mirrored");
      await once(fromCrowdStrike(await cached("mirrored", "first")));
    },
    given: async (id) => {
      const sensorMirror = await repository(`interrupted/mirror-${id}`);
      return fromCrowdStrike(await cached("mirrored", id, { sensorMirror }));
    },
  },
};

/** Requests that change something for good are slow, so that an interruption meets them. */
export async function slowChanges() {
  const slow = (match) => front("POST", "/faults", { match, delayMs: 400 });
  await slow({ method: "PUT", pathPattern: "/manifests/" });
  await slow({ pathPattern: "^aws:(ecr:CreateRepository|ecs:RegisterTaskDefinition|kms:Sign)$" });
}

/** The end of a step, which is logged at once even while others run. */
const stepEnd = /: (done in|failed after) \d/;

/** The end of the run, whose steps are all done by then. */
const runEnd = /^##\[section\]/;

/** The first line, after which the run looks at the world. */
const looking = /^FalconArm64Patch \d/;

/** Waits until so many steps have ended and the next is under way; returns false if the run was over by then. */
export async function underWay(step, ends) {
  const seen = (pattern) => step.raw.filter(({ line }) => pattern.test(line)).length;
  const isThere = () => (ends === 0 ? seen(looking) > 0 : seen(stepEnd) >= ends);
  while (!isThere() && seen(runEnd) === 0 && step.child.exitCode === null) await sleep(20);
  const isOver = seen(runEnd) > 0 || step.child.exitCode !== null;
  await sleep(150);
  return !isOver;
}
