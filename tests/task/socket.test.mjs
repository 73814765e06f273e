// The sensor container's access to the engine: what a patch needs is allowed, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { config, docker, inputs, needsLab, registry, registryPassword, sensorTag } from "./lab.mjs";

const sensor = (variant) => `${registry}/containersensor:${sensorTag}-${variant}`;

for (const strategy of ["full", "graft"]) {
  test(`A falconutil on moby's own client patches through the filter: ${strategy}`, needsLab, async () => {
    await inJob(async (job) => {
      const targetImage = `${registry}/app/target:socket-${strategy}`;
      const step = await job.run(
        inputs({ sensorImage: sensor("go"), targetImage, strategy, engineAccess: "filtered" }),
      );
      assertSucceeded(step);
      assert.match(step.text, /API 1\.\d+ on linux/);
      assert.doesNotMatch(step.text, /Grafting is not possible/);
      const [entrypoint] = config(targetImage).config.Entrypoint;
      assert.equal(entrypoint, "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint");
    });
  });
}

for (const strategy of ["full", "graft"]) {
  test(`Every attack on the engine is refused: ${strategy}`, needsLab, async () => {
    await inJob(async (job) => {
      const targetImage = `${registry}/app/target:socket-attacked-${strategy}`;
      const step = await job.run(inputs({ sensorImage: sensor("attacks"), targetImage, strategy }));
      const answers = [...step.text.matchAll(/\battack (\d{3}) (.*)/g)];
      assert.ok(answers.length > 45, story(step));
      for (const [line, status] of answers) assert.match(status, /^40[03]$/, line);
      assertFailed(step, "FALCONUTIL_REQUEST_REFUSED");
      assert.match(story(step), /`POST \/containers\/create`: a patch needs no such request/);
      assert.match(story(step), /engineAccess: direct/);
      assert.doesNotMatch(step.text, /using `strategy: full`/);
      assertNoLeak(step, [registryPassword]);
      assert.doesNotMatch(docker("volume", "ls") + docker("network", "ls"), /lab-attack/);
    });
  });
}

test("Direct access passes on what the filter refuses", needsLab, async () => {
  await inJob(async (job) => {
    const targetImage = `${registry}/app/target:socket-direct`;
    const given = { sensorImage: sensor("pulls"), targetImage, engineAccess: "direct" };
    assertSucceeded(await job.run(inputs(given)));
  });
});

test("Pulls through the filter are signed in with the run's login", needsLab, async () => {
  await inJob(async (job) => {
    const targetImage = `${registry}/app/target:socket-pulls`;
    const given = { sensorImage: sensor("pulls"), targetImage, engineAccess: "filtered" };
    assertSucceeded(await job.run(inputs(given)));
  });
});
