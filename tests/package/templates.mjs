// Template expressions of Azure Pipelines, as far as our pipelines use them: `${{ each }}`, parameters and `replace`.
import assert from "node:assert/strict";

const expression = /\$\{\{ (.+?) \}\}/g;
const loop = /^\$\{\{ each (\w+) in (.+) \}\}$/;

/** A pipeline with its loops and expressions expanded, by the default values of its parameters. */
export function expandTemplates(document) {
  const declared = document?.parameters ?? [];
  const parameters = Object.fromEntries(declared.map((parameter) => [parameter.name, parameter.default]));
  return expand(document, { parameters });
}

function expand(node, scope) {
  if (Array.isArray(node)) return node.flatMap((item) => expandItem(item, scope));
  if (typeof node === "string")
    return node.replaceAll(expression, (_, text) => String(evaluate(text, scope)));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [expand(key, scope), expand(value, scope)]),
  );
}

/** The items that an item of a list becomes: a loop becomes those of its body, once for each value. */
function expandItem(item, scope) {
  const [key] = item !== null && typeof item === "object" ? Object.keys(item) : [];
  const match = key === undefined ? null : loop.exec(key);
  if (!match) return [expand(item, scope)];
  const [, name, list] = match;
  return evaluate(list, scope).flatMap((value) => expand(item[key], { ...scope, [name]: value }));
}

function evaluate(text, scope) {
  const call = /^replace\((.+), '(.*)', '(.*)'\)$/.exec(text);
  if (call) return String(evaluate(call[1], scope)).replaceAll(call[2], call[3]);
  const value = text.split(".").reduce((found, name) => found?.[name], scope);
  assert.notEqual(value, undefined, `\${{ ${text} }} is not known`);
  return value;
}
