// The pipelines of examples/ and of the documents, read as Azure Pipelines reads them as far as the task is concerned.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { root } from "../../scripts/tools.mjs";
import { fencedBlocks } from "./markdown.mjs";
import { expandTemplates } from "./templates.mjs";

const taskName = "FalconArm64Patch@1";

/** Every pipeline of examples/: its path, its text, and the task's steps in order. */
export function examples() {
  return readdirSync(join(root, "examples"))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => pipeline(`examples/${name}`, readFileSync(join(root, "examples", name), "utf8")));
}

/** Every YAML block of a document that uses the task, which is either a whole pipeline or some steps of one. */
export function blocks(path) {
  return fencedBlocks(path, "yaml")
    .filter((block) => block.includes(taskName))
    .map((block) => pipeline(path, block));
}

/** True for a pipeline that can be copied as it is; others are parts of one. */
export const isComplete = ({ document }) => "trigger" in document;

function pipeline(path, text) {
  const document = expandTemplates(load(text));
  return { path, text, document, steps: stepsOf(document, { variables: {} }) };
}

/**
 * The task's steps below a node, each with its job and the variables that it can see. A leg of a matrix is a job of its
 * own, whose outputs later jobs read with the leg's name in front.
 */
function stepsOf(node, outer) {
  if (Array.isArray(node)) return node.flatMap((item) => stepsOf(item, outer));
  if (node === null || typeof node !== "object") return [];
  const variables = { ...outer.variables, ...variablesOf(node.variables) };
  const job = node.job ?? node.deployment ?? outer.job;
  if (node.task === taskName)
    return [{ name: node.name, inputs: node.inputs ?? {}, variables, job, leg: outer.leg }];
  const legs = node.strategy?.matrix ? Object.entries(node.strategy.matrix) : [[outer.leg, {}]];
  return legs.flatMap(([leg, values]) =>
    Object.values(node).flatMap((child) =>
      stepsOf(child, { variables: { ...variables, ...values }, job, leg }),
    ),
  );
}

/** Variables in either of their two forms. */
function variablesOf(declared = {}) {
  if (!Array.isArray(declared)) return declared;
  const named = declared.filter(({ name }) => name !== undefined);
  return Object.fromEntries(named.map(({ name, value }) => [name, value]));
}
