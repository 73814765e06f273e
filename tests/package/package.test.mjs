// The VSIX holds just what an agent and the Marketplace need, and nothing of the machine that built it.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findMachinePath } from "../../scripts/addon.mjs";
import { makeReproducible, sortedTypes } from "../../scripts/archive.mjs";
import { refusedLicences } from "../../scripts/dependencies.mjs";
import { createExtension, listEntries } from "../../scripts/package.mjs";
import { readJson, root } from "../../scripts/tools.mjs";
import { readVersions } from "../../scripts/version.mjs";

const dist = join(root, "dist");
const packages = readdirSync(dist).filter((name) => name.endsWith(".vsix"));
const manifest = readJson("vss-extension.json");

const taskFiles = [
  "LICENSE",
  "Strings/resources.resjson/en-US/resources.resjson",
  "THIRD-PARTY-NOTICES.txt",
  "icon.png",
  "main.js",
  "native/falcon-patch.linux-arm64.node",
  "native/falcon-patch.linux-x64.node",
  "post.js",
  "task.json",
  "task.loc.json",
];

test("There is one package, and it is small", () => {
  assert.equal(packages.length, 1);
  assert.ok(statSync(join(dist, packages[0])).size < 10_000_000);
});

test("The package holds exactly the task and its listing", async () => {
  const entries = await listEntries(join(dist, packages[0]));
  assert.deepEqual(
    entries.map(({ name }) => name).sort(),
    [
      ...taskFiles.map((name) => `FalconArm64Patch/${name}`),
      "LICENSE",
      "[Content_Types].xml",
      "extension.vsixmanifest",
      "extension.vsomanifest",
      manifest.icons.default,
      ...manifest.screenshots.map(({ path }) => path),
      "overview.md",
    ].sort(),
  );
});

test("The built task folder is the one in the package", () => {
  assert.deepEqual(filesBelow(join(dist, "task")), taskFiles);
});

test("Packed files name no path of this machine and hold no credential", () => {
  const credential = /\b(AKIA|ASIA)[0-9A-Z]{16}\b|PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}|_authToken=\S/;
  for (const name of filesBelow(join(dist, "package"))) {
    const content = readFileSync(join(dist, "package", name));
    assert.equal(findMachinePath(content), undefined, name);
    assert.doesNotMatch(content.toString("latin1"), credential, name);
  }
});

test("A package that is packed again has the same bytes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "falcon-package-"));
  try {
    const [original] = packages.map((name) => join(dist, name));
    const again = join(folder, "again.vsix");
    await new Promise((resolve) => setTimeout(resolve, 2100));
    createExtension(join(dist, "package"), again);
    const unlike = readFileSync(again);
    await makeReproducible(again);
    assert.deepEqual(readFileSync(again), readFileSync(original));
    // The format counts in steps of two seconds, and tfx writes the time.
    assert.notDeepEqual(unlike, readFileSync(original));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("Media types are listed in one order", () => {
  const list = (...lines) => Buffer.from(["<Types>", ...lines, "</Types>"].join("\n"));
  const [png, js] = ['  <Default Extension=".png"/>', '  <Default Extension=".js"/>'];
  const licence = '  <Override PartName="/LICENSE"/>';
  const expected = list(js, png, licence).toString();
  for (const given of [list(png, js, licence), list(licence, js, png), list(js, png, licence)])
    assert.equal(sortedTypes(given).toString(), expected);
});

test("The bill of materials is valid, and names each part with its notice", async () => {
  const text = readFileSync(join(dist, "sbom.cdx.json"), "utf8");
  const { Spec, Validation } = await import("@cyclonedx/cyclonedx-library");
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const { components, dependencies } = JSON.parse(text);
  const notices = readFileSync(join(dist, "task/THIRD-PARTY-NOTICES.txt"), "utf8");
  const noticed = new Set([...notices.matchAll(/^(\S+ \S+) \(.+\)$/gm)].map(([, part]) => part));
  const billed = components.map(
    ({ group, name, version }) => `${group ? `${group}/` : ""}${name} ${version}`,
  );
  assert.deepEqual(new Set(billed), noticed);
  for (const part of ["ring", "tokio", "bollard", "azure-pipelines-task-lib"])
    assert.ok(
      components.some(({ name }) => name === part),
      part,
    );
  assert.equal(dependencies.find(({ ref }) => ref === "falcon-arm64-patch").dependsOn.length, billed.length);
});

test("All parts have a licence that asks for its text alone", async () => {
  const { components } = JSON.parse(readFileSync(join(dist, "sbom.cdx.json"), "utf8"));
  const parts = components.map(({ name, licenses }) => ({ name, licence: licenses[0].expression }));
  assert.deepEqual(await refusedLicences(parts), []);
  const others = ["GPL-3.0-only", "MIT AND GPL-2.0-only", undefined].map((licence) => ({ licence }));
  assert.deepEqual(await refusedLicences(others), others);
  assert.deepEqual(
    await refusedLicences([{ licence: "GPL-3.0-only OR MIT" }, { licence: "MIT/Apache-2.0" }]),
    [],
  );
});

test("Icons have the sizes that Azure DevOps shows", () => {
  assert.deepEqual(pngSize("task/icon.png"), [32, 32]);
  assert.deepEqual(pngSize(manifest.icons.default), [128, 128]);
});

test("All files have the same version", () => {
  const versions = new Set(readVersions().map(({ version }) => version));
  assert.equal(versions.size, 1, JSON.stringify(readVersions()));
});

test("The listing fits the Marketplace", () => {
  assert.ok(manifest.name.length <= 200 && manifest.description.length <= 200);
  // The Marketplace refuses names that could pass for a product of the brand's owner.
  assert.doesNotMatch(manifest.name, /falcon|crowdstrike|aws|amazon|azure|microsoft/i);
  assert.ok(new Set(manifest.tags).size === manifest.tags.length && manifest.tags.length <= 20);
});

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

function pngSize(path) {
  const header = readFileSync(join(root, path)).subarray(0, 24);
  return [header.readUInt32BE(16), header.readUInt32BE(20)];
}
