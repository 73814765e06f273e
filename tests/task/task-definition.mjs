// The example of an ECS task definition, and a job that has one in its sources.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inJob } from "./job.mjs";
import { inputs, registry } from "./lab.mjs";

/** The example as its readers copy it. */
export const template = readFileSync(
  new URL("../../examples/ecs-task-definition.json", import.meta.url),
  "utf8",
);
const names = {
  "aws-account": "123456789012",
  "container-name": "web",
  "execution-role": "ecsTaskExecutionRole",
  family: "web-service",
  "log-group": "web",
  region: "eu-west-1",
};

/** The example with its names filled in, as JSON; `image` is left to the task unless it is given. */
export function exampleDefinition(image) {
  return template.replaceAll(/<([a-z-]+)>/g, (left, name) =>
    name === "patched-image" ? (image ?? left) : (names[name] ?? left),
  );
}

/** A service as it runs on x86-64 so far, as `describe-task-definition` prints it. */
export function described() {
  const { containerDefinitions, ...rest } = JSON.parse(exampleDefinition());
  const [web] = containerDefinitions;
  const router = { name: "log_router", image: "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable" };
  return {
    taskDefinition: {
      taskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-service:7",
      ...rest,
      runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
      containerDefinitions: [
        router,
        { ...web, linuxParameters: {}, entryPoint: ["/start"], readonlyRootFilesystem: true },
      ],
      revision: 7,
      status: "ACTIVE",
      requiresAttributes: [{ name: "ecs.capability.task-eni" }],
      compatibilities: ["EC2", "FARGATE"],
      registeredAt: 1_700_000_000.5,
      registeredBy: "arn:aws:iam::123456789012:user/ci",
    },
    tags: [{ key: "team", value: "a" }],
  };
}

/** The example after a change of the whole and of its container, as JSON. */
export function changed(change) {
  const definition = JSON.parse(exampleDefinition());
  change(definition, definition.containerDefinitions[0]);
  return JSON.stringify(definition);
}

/** A job with a file in its sources. The file is removed before the end, because the task leaves sources alone. */
export function withFile(text, use) {
  return inJob(async (job) => {
    const folder = join(job.folders.sources, "deploy");
    mkdirSync(folder);
    writeFileSync(join(folder, "ecs.json"), text);
    try {
      await use(job, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** Inputs of a step that puts the patched image into the job's file. */
export const given = (tag, changes = {}) =>
  inputs({ targetImage: `${registry}/app/target:${tag}`, taskDefinition: "deploy/ecs.json", ...changes });
