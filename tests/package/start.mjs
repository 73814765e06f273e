// What keeps a copied pipeline from starting: names that Azure Pipelines refuses, and names that its reader lacks.
import { textOf } from "./markdown.mjs";

/** Service connections that a reader has, each created by a page. */
const connections = new Map([
  ["production-aws", "docs/credentials.md"],
  ["falcon", "docs/falcon-connection.md"],
]);

/** Predefined variables: those of these families, which every job has. */
const predefined = /^(Build|System|Agent|Pipeline|Environment)\./;

/** Every problem of a complete pipeline, as a sentence. */
export function startProblems(pipeline) {
  const nodes = [...nodesOf(pipeline.document)];
  return [
    ...namesOf(nodes).flatMap(invalidName),
    ...twice(nodes),
    ...unknownDependencies(nodes),
    ...groups(nodes),
    ...unknownConnections(pipeline),
    ...undeclared(pipeline, nodes),
    ...digests(pipeline),
  ];
}

function* nodesOf(node) {
  if (node === null || typeof node !== "object") return;
  if (!Array.isArray(node)) yield node;
  for (const child of Object.values(node)) yield* nodesOf(child);
}

/** Names of stages, jobs and steps; variables and parameters have names too, which may hold more. */
function namesOf(nodes) {
  return nodes
    .flatMap((node) => [
      ...["stage", "job", "deployment"].map((kind) => node[kind]),
      ...(isStep(node) ? [node.name] : []),
    ])
    .filter((name) => name !== undefined);
}

const isStep = (node) => !("value" in node || "type" in node);

const invalidName = (name) => (/^[A-Za-z_]\w*$/.test(name) ? [] : [`\`${name}\` is not a valid name`]);

/** Names that occur twice where they must differ: steps of one list, jobs and stages of one list. */
function twice(nodes) {
  const lists = nodes.flatMap((node) => ["steps", "jobs", "stages"].map((kind) => [kind, node[kind]]));
  return lists.flatMap(([kind, list]) => {
    const names = (Array.isArray(list) ? list : [])
      .map((item) => item.name ?? item.job ?? item.deployment ?? item.stage)
      .filter((name) => name !== undefined);
    const repeated = names.filter((name, index) => names.indexOf(name) !== index);
    return repeated.map((name) => `two ${kind} are named \`${name}\``);
  });
}

function unknownDependencies(nodes) {
  const names = new Set(namesOf(nodes));
  const needed = nodes.flatMap(({ dependsOn = [] }) => dependsOn);
  return needed.filter((name) => !names.has(name)).map((name) => `nothing is named \`${name}\``);
}

const groups = (nodes) =>
  nodes.filter(({ group }) => group).map(({ group }) => `no page creates the group \`${group}\``);

function unknownConnections({ steps }) {
  const used = steps.flatMap(({ inputs }) => [inputs.awsConnection, inputs.falconConnection]);
  const isCreated = (name) => connections.has(name) && textOf(connections.get(name)).includes(`\`${name}\``);
  return [...new Set(used)]
    .filter((name) => name !== undefined && !isCreated(name))
    .map((name) => `no page creates the connection \`${name}\``);
}

/** Macros of variables that neither the pipeline nor Azure sets, and that the text around it does not name. */
function undeclared({ path, text, document, steps }, nodes) {
  const declared = new Set(steps.flatMap(({ variables }) => Object.keys(variables)));
  for (const { name, value } of nodes) if (value !== undefined) declared.add(name);
  const stepNames = new Set(namesOf(nodes));
  const isDocument = path.endsWith(".md");
  const prose = isDocument ? textOf(path) : (text.match(/#.*/g) ?? []).join("\n");
  const isNamed = (name) => (isDocument ? prose.includes(`\`${name}\``) : prose.includes(name));
  const isKnown = (name) => {
    const [first, output] = name.split(".");
    if (output !== undefined) return predefined.test(name) || stepNames.has(first);
    return declared.has(name) || isNamed(name);
  };
  const macros = [...JSON.stringify(document).matchAll(/\$\(([A-Za-z_][\w.]*)\)/g)].map(([, name]) => name);
  return [...new Set(macros)]
    .filter((name) => !isKnown(name))
    .map((name) => `nothing declares \`$(${name})\``);
}

/** Full digests of images: only the lab or one registry has them. */
function digests({ steps }) {
  const values = steps.flatMap(({ inputs }) => Object.values(inputs)).map(String);
  return values
    .filter((value) => /@sha256:[0-9a-f]{64}$/.test(value))
    .map((value) => `no reader has \`${value}\``);
}
