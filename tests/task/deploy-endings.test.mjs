// Every way in which a deployment can end, and what is said about it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  byAlarm,
  byHand,
  completed,
  event,
  failed,
  paused,
  progress,
  rollbackFailed,
  rolledBack,
  rollingBack,
  stage,
  stopped,
  superseded,
  supersededAndGone,
} from "../lab/ecs/frames.mjs";
import { story } from "./agent.mjs";
import {
  assertDeployedOnce,
  changes,
  deploymentOf,
  deployOnce,
  patchedImage,
  running,
  runningDefinition,
  sideBySide,
  starting,
} from "./deployments.mjs";
import { assertFailed, assertOrderly } from "./expect.mjs";
import { inLab, needsLab, registry } from "./lab.mjs";

let image;

before(async () => {
  if (inLab) image = await patchedImage(`${registry}/app/target:deployed-to-its-end`);
});

const codes = ({ warnings }) => warnings.map(({ code }) => code);

const successes = [
  [
    "by force, of the same revision",
    { definition: "same", frames: [starting, completed] },
    { forceNewDeployment: true },
    ({ step, ecs }) => {
      assert.deepEqual(changes(ecs), ["UpdateService"]);
      assert.equal(ecs.service.updates[0].forceNewDeployment, true);
      assert.equal(step.outputs.deploymentId, deploymentOf(ecs));
    },
  ],
  [
    "of a revision whose deployment had failed",
    { definition: "same", service: { rollout: "FAILED" }, frames: [completed] },
    {},
    ({ ecs }) => assert.deepEqual(changes(ecs), ["UpdateService"]),
  ],
  [
    "in stages, with a pause hook",
    {
      service: { deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 5 } },
      frames: [stage("SCALE_UP"), stage("TEST_TRAFFIC_SHIFT"), paused(), stage("BAKE_TIME"), completed],
    },
    {},
    ({ step }) => {
      for (const shown of ["BLUE_GREEN", "TEST_TRAFFIC_SHIFT", "BAKE_TIME", "approve"])
        assert.match(story(step), new RegExp(shown));
    },
    ["ECS_SERVICE_UNGUARDED"],
  ],
  [
    "on Fargate's capacity providers",
    {
      service: {
        launchType: undefined,
        capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      },
      frames: [completed],
    },
  ],
  ["of a service that names its controller", { service: { controller: "ECS" }, frames: [completed] }],
  [
    "that no one waits for",
    { frames: [starting] },
    { waitForService: false },
    ({ step, ecs }) => {
      assert.match(story(step), /Started, not watched/);
      assert.equal(step.outputs.deploymentId, deploymentOf(ecs));
      assert.equal(ecs.count("ListTasks"), 0);
    },
  ],
  [
    "of a service without tasks",
    { service: { desiredCount: 0 }, frames: [progress({ desired: 0 }), completed] },
    {},
    undefined,
    ["ECS_DEPLOYMENT_EMPTY"],
  ],
  [
    "of a service that would retry without end",
    { service: { deploymentConfiguration: {} }, frames: [completed] },
    {},
    undefined,
    ["ECS_SERVICE_UNGUARDED"],
  ],
  [
    "while ECS throttles looks",
    {
      frames: [starting, completed],
      faults: [{ action: "DescribeServices", after: 1, count: 9, throttle: true }],
    },
  ],
  [
    "while connections break",
    {
      frames: [starting, completed],
      faults: [{ action: "DescribeServices", after: 1, count: 4, cut: true }],
    },
  ],
  [
    "without the rights to its details",
    {
      frames: [running, completed],
      denied: ["DescribeServiceDeployments", "ListServiceDeployments", "ListTasks"],
    },
    {},
    ({ step }) => assert.match(story(step), /ecs:DescribeServiceDeployments.*so details are missing/),
  ],
  [
    "in a region without its details",
    {
      frames: [running, completed],
      unsupported: ["DescribeServiceDeployments", "ListServiceDeployments"],
      denied: ["DescribeTasks"],
    },
  ],
  [
    "whose answer was lost",
    { frames: [running, completed], faults: [{ action: "UpdateService", lose: true }] },
  ],
  [
    "whose revision's answer was lost",
    {
      frames: [completed],
      faults: [{ action: "RegisterTaskDefinition", lose: true }],
    },
  ],
  [
    "whose request was throttled",
    {
      frames: [completed],
      faults: [{ action: "UpdateService", throttle: true }],
    },
    {},
    ({ ecs }) => assert.equal(ecs.service.updates.length, 1),
  ],
];

test("A deployment succeeds", sideBySide, async (t) => {
  const all = successes.map(([situation, script, given = {}, check = () => undefined, warnings = []]) =>
    t.test(situation, async () => {
      const definition = runningDefinition(script.definition === "same" ? image : "example/web:before");
      const { step, ecs, left } = await deployOnce(image, { ...script, definition }, given);
      assertOrderly(step);
      assert.equal(step.result, "Succeeded", story(step));
      assert.deepEqual(codes(step), warnings, story(step));
      assert.equal(step.outputs.changed, "true");
      assert.equal(step.outputs.deploymentId, deploymentOf(ecs));
      assert.equal(ecs.service.updates.length, 1, "each update would replace the one before");
      assert.ok(ecs.definitions.registered.length <= 1, "one revision at most");
      assert.deepEqual(left, []);
      check({ step, ecs });
    }),
  );
  await Promise.all(all);
});

/** Every reason to stop, the newest first; those of other deployments, and of scaling, say nothing about ours. */
const ends = [stopped.pull, stopped.platform, stopped.exit, stopped.memory, stopped.health, stopped.scaling];
const other = `sha256:${"e".repeat(64)}`;

const failures = [
  [
    "for a missing image",
    { frames: [starting, failed({ stopped: [stopped.pull] })] },
    "ECS_DEPLOYMENT_FAILED",
    [/CannotPullContainerError/],
  ],
  [
    "for another platform",
    { frames: [starting, failed({ stopped: [stopped.platform], events: [event.inconsistent] })] },
    "ECS_DEPLOYMENT_FAILED",
    [/descriptor matching platform/, /unable to consistently start tasks/],
  ],
  [
    "for a container that ends",
    { frames: [starting, failed({ stopped: [stopped.exit] })] },
    "ECS_DEPLOYMENT_FAILED",
    [/exit code 255/, /\/ecs\/web/, /stream `ecs\/web\/s\d+`/],
  ],
  [
    "for a lack of memory",
    { frames: [starting, failed({ stopped: [stopped.memory] })] },
    "ECS_DEPLOYMENT_FAILED",
    [/OutOfMemoryError/, /137/],
  ],
  [
    "for a health check, and not for scaling",
    { frames: [starting, failed({ stopped: [stopped.health, stopped.scaling] })] },
    "ECS_DEPLOYMENT_FAILED",
    [/failed container health checks[\s\S]*Scaling activity/],
  ],
  [
    "for many reasons",
    { frames: [progress({ pending: 2, failed: 2 }, { stopped: ends }), failed()] },
    "ECS_DEPLOYMENT_FAILED",
    [/2 failed/],
  ],
  [
    "and is rolled back",
    { frames: [starting, rollingBack(), rollingBack(), rolledBack()] },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [/circuit breaker/],
  ],
  [
    "and has been rolled back at the next look",
    { frames: [starting, rolledBack()] },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [],
  ],
  [
    "by an alarm",
    { frames: [running, running, rollingBack(byAlarm), rolledBack(byAlarm)] },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [/alarm/],
  ],
  [
    "by hand",
    { frames: [running, running, rollingBack(byHand), rolledBack(byHand)] },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [/stopped by a user/],
  ],
  [
    "and so does its rollback",
    { frames: [running, rollingBack(), rollbackFailed] },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [/so did its rollback/],
  ],
  [
    "and is rolled back, without the rights to details",
    {
      frames: [running, rollingBack({ stopped: [stopped.exit] }), rolledBack()],
      denied: ["DescribeServiceDeployments", "ListTasks", "DescribeTasks"],
    },
    "ECS_DEPLOYMENT_ROLLED_BACK",
    [/circuit breaker/, /AWS denies `ecs:ListTasks`/],
  ],
  [
    "without a rollback, and without the rights to details",
    {
      service: { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } } },
      frames: [running, failed()],
      denied: ["DescribeServiceDeployments"],
    },
    "ECS_DEPLOYMENT_FAILED",
    [],
  ],
  [
    "since another took its place",
    { frames: [running, superseded] },
    "ECS_DEPLOYMENT_SUPERSEDED",
    [/another deployment/],
  ],
  [
    "since another is already done",
    { frames: [running, supersededAndGone] },
    "ECS_DEPLOYMENT_SUPERSEDED",
    [],
  ],
  [
    "since another took its place, without the rights to details",
    { frames: [running, superseded], denied: ["DescribeServiceDeployments"] },
    "ECS_DEPLOYMENT_SUPERSEDED",
    [],
  ],
  [
    "with another image than the verified one",
    { frames: [completed], digest: other },
    "ECS_IMAGE_DIFFERS",
    [new RegExp(other)],
  ],
  [
    "that ECS does not show",
    { frames: [completed], faults: [{ action: "UpdateService", cut: true }] },
    "ECS_DEPLOYMENT_UNKNOWN",
    [],
  ],
];

test("A deployment fails", sideBySide, async (t) => {
  const all = failures.map(([situation, script, code, patterns]) =>
    t.test(situation, async () => {
      const { step, ecs, left } = await deployOnce(image, script);
      const text = `${assertFailed(step, code)}\n${story(step)}`;
      for (const pattern of patterns) assert.match(text, pattern);
      assertDeployedOnce(ecs);
      assert.doesNotMatch(text, /stopped before this deployment/, "a task of another deployment");
      const id = deploymentOf(ecs);
      if (id) assert.ok(text.includes(id), `the deployment's ID:\n${text}`);
      assert.deepEqual(left, []);
    }),
  );
  await Promise.all(all);
});

test("A deployment that takes too long goes on, and the step says so", needsLab, async () => {
  const script = { frames: [progress({ pending: 2 }, { events: [event.noCapacity] })] };
  const { step, ecs } = await deployOnce(image, script, { deployTimeoutMinutes: "1" });
  const message = assertFailed(step, "ECS_DEPLOYMENT_TIMED_OUT");
  assert.match(message, /goes on/);
  assert.ok(step.seconds > 55 && step.seconds < 90, `${step.seconds} s`);
  assert.equal(ecs.service.updates.length, 1);
  assert.match(story(step), /Capacity is unavailable/);
  assert.match(story(step), new RegExp(`Already done:[\\s\\S]*${deploymentOf(ecs)}`));
});
