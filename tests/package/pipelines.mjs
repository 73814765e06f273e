// The pipelines of examples/ and of the documents, read as Azure Pipelines reads them as far as the task is concerned.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { root } from "../../scripts/tools.mjs";

const taskName = "FalconArm64Patch@1";

/** Every pipeline of examples/: its path, its text, and the task's steps in order. */
export function examples() {
  return readdirSync(join(root, "examples"))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => pipeline(`examples/${name}`, readFileSync(join(root, "examples", name), "utf8")));
}

/** Every YAML block of a document that uses the task, whether it is a whole pipeline or some steps of one. */
export function blocks(path) {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)]
    .map(([, indent, block]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""))
    .filter((block) => block.includes(taskName))
    .map((block) => pipeline(path, block));
}

function pipeline(path, text) {
  const document = load(text);
  return { path, text, document, steps: stepsOf(document, {}) };
}

/** The task's steps below a node, each with the variables that it can see; a leg of a matrix is a job of its own. */
function stepsOf(node, outer) {
  if (Array.isArray(node)) return node.flatMap((item) => stepsOf(item, outer));
  if (node === null || typeof node !== "object") return [];
  const variables = { ...outer, ...variablesOf(node.variables) };
  if (node.task === taskName) return [{ name: node.name, inputs: node.inputs ?? {}, variables }];
  const legs = node.strategy?.matrix ? Object.values(node.strategy.matrix) : [{}];
  return legs.flatMap((leg) =>
    Object.values(node).flatMap((child) => stepsOf(child, { ...variables, ...leg })),
  );
}

/** Variables in either of their two forms; what a group holds is not in the file. */
function variablesOf(declared = {}) {
  if (!Array.isArray(declared)) return declared;
  const named = declared.filter(({ name }) => name !== undefined);
  return Object.fromEntries(named.map(({ name, value }) => [name, value]));
}
