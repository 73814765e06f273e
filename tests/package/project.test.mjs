// The project's own pipelines, forms and settings. No service has read them yet: here they are read, and their shell runs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { load } from "js-yaml";
import { readContacts } from "../../scripts/listing.mjs";
import { developmentVariant } from "../../scripts/package.mjs";
import { readJson, root } from "../../scripts/tools.mjs";
import { fencedBlocks, textOf } from "./markdown.mjs";

const yaml = (path) => load(textOf(path));
const ownPipeline = yaml("azure-pipelines.yml");
const trial = yaml(".ci/trial.yml");
const task = readJson("task/task.json");
const page = textOf("docs/first-real-run.md");

const folder = mkdtempSync(join(tmpdir(), "falcon-project-"));
after(() => rmSync(folder, { recursive: true }));

/** The steps below a node of a pipeline, in order. */
function stepsOf(node) {
  if (node === null || typeof node !== "object") return [];
  if ("bash" in node || "task" in node) return [node];
  return Object.values(node).flatMap(stepsOf);
}
const steps = [...stepsOf(ownPipeline), ...stepsOf(trial)];
const shellFiles = readdirSync(join(root, ".ci")).filter((name) => !name.endsWith(".yml"));
const shells = [
  ...steps.flatMap(({ bash }) => bash ?? []),
  ...shellFiles.map((name) => textOf(`.ci/${name}`)),
];

/** Runs a shell with stand-ins in front of the real programs. Each stand-in writes down its call, then runs its body. */
function runShell(args, programs, env = {}) {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\necho "${name} $*" >> "${bin}/calls"\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const all = { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync("bash", args, { cwd: root, encoding: "utf8", env: all });
  const calls = existsSync(join(bin, "calls")) ? readFileSync(join(bin, "calls"), "utf8") : "";
  return { status, stdout, stderr, calls: calls.trim().split("\n") };
}

test("Shell steps are valid, and start what exists", () => {
  assert.ok(shells.length >= 7, `${shells.length} shells`);
  const { scripts } = readJson("package.json");
  for (const shell of shells) {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: shell, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    for (const [, name] of shell.matchAll(/\bnpm run (\S+)/g)) assert.ok(name in scripts, name);
    for (const [, path] of shell.matchAll(/\bnode (\S+\.mjs)/g))
      assert.ok(existsSync(join(root, path)), path);
  }
  const files = steps.flatMap(
    ({ bash, inputs }) => (inputs?.scriptPath ?? bash ?? "").match(/\.ci\/[\w.-]+/g) ?? [],
  );
  assert.deepEqual([...new Set(files)].sort(), shellFiles.map((name) => `.ci/${name}`).sort());
});

test("Packages are laid out in folders, and the private one has the run's number", () => {
  const staging = join(folder, "staging");
  const env = { BUILD_BUILDID: "4711", BUILD_ARTIFACTSTAGINGDIRECTORY: staging };
  const packaging = steps.filter(({ bash }) => bash?.includes("npm run package"));
  // The stand-in packs nothing: the package of this build is in its place.
  const runs = packaging.map(({ bash }) => runShell(["-c", bash], { npm: "" }, env));
  for (const { status, stderr } of runs) assert.equal(status, 0, stderr);
  assert.deepEqual(
    runs.flatMap(({ calls }) => calls),
    ["npm run package -- --dev --patch 4711", "npm run package"],
  );
  const built = readdirSync(join(root, "dist")).filter((name) => name.endsWith(".vsix"));
  assert.deepEqual(readdirSync(join(staging, "private")), built);
  assert.deepEqual(readdirSync(join(staging, "public")).sort(), [...built, "sbom.cdx.json"].sort());
});

test("The step that publishes takes a token of the signed-in identity, masks it, and hands it on", () => {
  mkdirSync(join(folder, "packages/private"), { recursive: true });
  writeFileSync(join(folder, "packages/private/a.vsix"), "");
  const programs = { az: "echo t0ken", node: "", npm: 'echo "token: $MARKETPLACE_TOKEN"' };
  const args = [".ci/publish.sh", "private", "--share-with", "contoso"];
  const { status, stdout, stderr, calls } = runShell(args, programs, { PIPELINE_WORKSPACE: folder });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "##vso[task.setsecret]t0ken\ntoken: t0ken\n");
  assert.match(calls[0], /^az account get-access-token /);
  assert.deepEqual(calls.slice(1), [
    "node scripts/setup.mjs --modules",
    `npm run publish -- ${folder}/packages/private/a.vsix --share-with contoso`,
  ]);
});

test("A step without a token publishes nothing", () => {
  const args = [".ci/publish.sh", "private"];
  const { status, calls } = runShell(args, { az: "exit 1", npm: "" }, { PIPELINE_WORKSPACE: folder });
  assert.notEqual(status, 0);
  assert.equal(calls.length, 1);
});

/** A stand-in for `az` in whose second look the trial's run is completed, with a result. */
const azWith = (result) => `case "$*" in
  *"pipelines run "*) echo 42 ;;
  *"--query result"*) echo ${result} ;;
  *) [ "$(grep -c "query status" "$(dirname "$0")/calls")" -gt 1 ] && echo completed || echo inProgress ;;
esac`;
const trialNames = {
  TRIALORGANIZATION: "contoso",
  TRIALPROJECT: "web",
  TRIALPIPELINE: "trial",
  TRIAL_PAUSE: "0",
};

test("The trial ends as its run ends", () => {
  for (const [result, expected] of [
    ["succeeded", 0],
    ["failed", 1],
    ["partiallySucceeded", 1],
    ["canceled", 1],
  ]) {
    const { status, stdout, calls } = runShell([".ci/trial.sh"], { az: azWith(result) }, trialNames);
    assert.equal(status, expected, `${result}: ${stdout}`);
    assert.ok(stdout.includes(`run 42: ${result}`), stdout);
    assert.equal(calls.filter((call) => call.includes("--query status")).length, 2);
    for (const call of calls)
      assert.ok(call.includes("--organization https://dev.azure.com/contoso --project web"), call);
  }
});

test("A trial that does not end in time fails", () => {
  const running = { az: 'case "$*" in *"pipelines run "*) echo 42 ;; *) echo inProgress ;; esac' };
  const { status, stderr } = runShell([".ci/trial.sh"], running, { ...trialNames, TRIAL_LOOKS: "3" });
  assert.equal(status, 1);
  assert.match(stderr, /did not end in time/);
});

test("The trial uses the private variant with inputs that exist", () => {
  const variant = developmentVariant({ extension: readJson("vss-extension.json"), task }).task;
  const uses = trial.steps.filter((step) => step.task);
  assert.equal(uses.length, 5);
  const inputs = new Set(variant.inputs.map(({ name }) => name));
  for (const use of uses) {
    assert.equal(use.task, `${variant.name}@${variant.version.Major}`);
    for (const name of Object.keys(use.inputs)) assert.ok(inputs.has(name), name);
  }
});

test("The trial compares the outputs of its steps", () => {
  const [{ bash }] = trial.steps.filter((step) => step.bash);
  const image = "app/web@sha256:1";
  const good = {
    ...{ PATCH_CHANGED: "true", AGAIN_CHANGED: "false", PATCH_IMAGEREFERENCE: image },
    ...{ AGAIN_IMAGEREFERENCE: image, GRAFT_IMAGEREFERENCE: image, VERIFY_IMAGEREFERENCE: image },
  };
  assert.equal(runShell(["-c", bash], {}, good).status, 0);
  for (const name of Object.keys(good))
    assert.equal(runShell(["-c", bash], {}, { ...good, [name]: "x" }).status, 1, name);
  const known = new Set(
    trial.steps.flatMap(({ name }) => task.outputVariables.map((output) => `${name}_${output.name}`)),
  );
  for (const name of Object.keys(good))
    assert.ok(
      [...known].some((each) => each.toUpperCase() === name),
      name,
    );
});

test("Stages depend on each other, and the public one waits for a person", () => {
  const names = ownPipeline.stages.map(({ stage }) => stage);
  assert.deepEqual(names, ["build", "private", "trial", "public"]);
  for (const [index, { dependsOn }] of ownPipeline.stages.entries())
    assert.equal(dependsOn, index === 0 ? undefined : names[index - 1]);
  const [{ environment }] = ownPipeline.stages.at(-1).jobs;
  assert.equal(environment, "marketplace");
  assert.equal(ownPipeline.parameters.find(({ name }) => name === "public").default, false);
});

test("The page of the first real run lists every contact, and what the pipelines need", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows, Object.keys(readContacts()));
  const groups = [ownPipeline, trial].flatMap(({ variables }) =>
    variables.flatMap(({ group }) => group ?? []),
  );
  const connections = steps.flatMap(({ inputs }) =>
    [inputs?.azureSubscription, inputs?.awsConnection, inputs?.falconConnection].filter(Boolean),
  );
  // Connections are authorised before a run, when no variable of a group is known.
  for (const name of connections) assert.doesNotMatch(name, /\$/);
  const macros = JSON.stringify(trial).match(/(?<=\$\()(?:registry|sensorTag)(?=\))/g);
  const variables = ["trialOrganization", "trialProject", "trialPipeline"];
  for (const name of new Set([...groups, ...connections, ...macros, ...variables]))
    assert.ok(page.includes(`\`${name}\``), name);
});

test("The lines that the page expects are lines of the task", () => {
  const sources = ["task/src/ending-rows.ts", "task/src/report.ts", "scripts/pictures/record/log.txt"];
  const rust = spawnSync("grep", ["-rhE", "Sensor files present|Nothing was changed", "native/core/src"], {
    cwd: root,
    encoding: "utf8",
  });
  const known = [...sources.map(textOf), rust.stdout].join("\n");
  const lines = fencedBlocks("docs/first-real-run.md", "text").flatMap((block) => block.trim().split("\n"));
  assert.ok(lines.length >= 8, `${lines.length} lines`);
  for (const line of lines)
    for (const part of line
      .split("…")
      .map((text) => text.trim())
      .filter(Boolean))
      assert.ok(known.includes(part), part);
});

test("Forms for issues are complete", () => {
  const forms = readdirSync(join(root, ".github/ISSUE_TEMPLATE")).filter((name) => name !== "config.yml");
  assert.deepEqual(forms.sort(), ["bug.yml", "feature.yml", "first-real-run.yml"]);
  const kinds = new Set(["markdown", "input", "textarea", "dropdown"]);
  for (const name of forms) {
    const { name: title, description, body } = yaml(`.github/ISSUE_TEMPLATE/${name}`);
    assert.ok(title && description, name);
    const fields = body.filter(({ type }) => type !== "markdown");
    assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length, name);
    for (const { type, attributes, id } of body) {
      assert.ok(kinds.has(type), `${name}: ${type}`);
      if (type === "markdown") assert.ok(attributes.value);
      else assert.ok(id && attributes.label, `${name}: ${id}`);
    }
  }
});

test("Renovate finds the images that task.json pins, and each package that it has a rule for", () => {
  const { customManagers, packageRules } = readJson("renovate.json");
  const [{ matchStrings, managerFilePatterns }] = customManagers;
  assert.match("task/task.json", new RegExp(managerFilePatterns[0].slice(1, -1)));
  const found = [...textOf("task/task.json").matchAll(new RegExp(matchStrings[0], "g"))].map(
    ({ groups }) => groups.depName,
  );
  assert.deepEqual(found.sort(), ["registry", "tonistiigi/binfmt"]);
  const { devDependencies } = readJson("package.json");
  const names = packageRules.flatMap(({ matchDepNames = [], matchPackageNames = [] }) => [
    ...matchDepNames,
    ...matchPackageNames,
  ]);
  for (const name of names.filter((each) => !each.includes("*") && !found.includes(each)))
    assert.ok(name in devDependencies, name);
});
