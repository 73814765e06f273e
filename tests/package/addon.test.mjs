// Both addons load in every Node that starts them, on systems as old as promised.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { addonName, architectures, newestGlibc, oldestGlibc } from "../../scripts/addon.mjs";
import { arm64Node } from "../../scripts/toolchain.mjs";
import { readJson, root } from "../../scripts/tools.mjs";

const { version } = readJson("package.json");
const addon = (architecture) => join(root, "dist/task/native", addonName(architecture));

function versionAsSeenBy(command, architecture) {
  const script = `
    const addon = { exports: {} };
    process.dlopen(addon, ${JSON.stringify(addon(architecture))});
    console.log(process.version, process.arch, addon.exports.version());`;
  const [program, ...args] = command;
  return execFileSync(program, [...args, "-e", script], { encoding: "utf8" }).trim();
}

for (const architecture of architectures) {
  test(`The addon for ${architecture} runs on glibc ${oldestGlibc}`, () => {
    const newest = newestGlibc(addon(architecture));
    assert.ok(newest.localeCompare(oldestGlibc, "en", { numeric: true }) <= 0, `needs glibc ${newest}`);
  });
}

for (const major of [20, 24]) {
  test(`The addon for x64 loads in Node ${major}`, () => {
    const node = join(root, `node_modules/node${major}/bin/node`);
    assert.match(versionAsSeenBy([node], "x64"), new RegExp(`^v${major}\\..* x64 ${version}$`));
  });

  test(`The addon for arm64 loads in Node ${major}`, async () => {
    const node = await arm64Node(major);
    assert.match(versionAsSeenBy(node, "arm64"), new RegExp(`^v${major}\\..* arm64 ${version}$`));
  });
}
