// Builds the native addon, and checks that a finished one runs on old systems and holds no path of this machine.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { arm64Compiler, withPath, zigToolchain } from "./toolchain.mjs";
import { CommandFailed, cache, read, root, run } from "./tools.mjs";

/** RHEL 8's glibc, which is also the oldest that Node 20 itself runs on. */
export const oldestGlibc = "2.28";

/** Declarations for TypeScript, written by the build and committed, so that tsc needs no build. */
const declarations = "native/node/index.d.ts";

const platforms = {
  x64: { triple: "x86_64-unknown-linux-gnu", compiler: () => "rustc" },
  arm64: { triple: "aarch64-unknown-linux-gnu", compiler: arm64Compiler },
};

export const architectures = Object.keys(platforms);

export function addonName(architecture) {
  return `falcon-patch.linux-${architecture}.node`;
}

/** Builds the addon as it is shipped. */
export async function buildAddon(architecture, into) {
  const { triple, compiler } = platforms[architecture];
  const output = join(root, "target/addon", architecture);
  const env = {
    ...withPath(await zigToolchain()),
    RUSTC: await compiler(),
    CARGO_ENCODED_RUSTFLAGS: hidePaths().join("\x1f"),
  };
  const options = {
    "--target": `${triple}.${oldestGlibc}`,
    "--manifest-path": "native/node/Cargo.toml",
    "--package-json-path": "package.json",
    // Folders of their own let both architectures build side by side: the final optimisation uses a single core.
    "--target-dir": `target/release-${architecture}`,
    "--output-dir": output,
    "--dts": "index.d.ts",
  };
  const flags = ["--release", "--platform", "--cross-compile", "--no-js"];
  await run(join(root, "node_modules/.bin/napi"), ["build", ...flags, ...Object.entries(options).flat()], {
    env,
  });
  const built = join(into, addonName(architecture));
  cpSync(join(output, `falcon-patch.linux-${architecture}-gnu.node`), built);
  checkAddon(built);
  if (readFileSync(join(output, "index.d.ts"), "utf8") !== readFileSync(join(root, declarations), "utf8")) {
    throw new CommandFailed(
      `\`${declarations}\` is out of date; run \`npm run build -- --dev\` and commit it`,
    );
  }
}

/** The types of the addon's functions, as the development build leaves them. */
const types = join(root, "target/addon/types");

/** Compiles the addon for trying things out: this machine's glibc, no optimisation, artefacts shared with `cargo test`. */
export async function compileDevelopmentAddon() {
  const env = { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: types };
  // Cargo does not know that the declarations are missing, so this runs the build script of napi again.
  if (!existsSync(types)) env.NAPI_FORCE_BUILD_FALCON_PATCH_NODE = `${Date.now()}`;
  mkdirSync(types, { recursive: true });
  await run("cargo", ["build", "--locked", "--package", "falcon-patch-node"], { env });
}

/** Copies the development addon to its place in the task, and writes its declarations. */
export async function copyDevelopmentAddon(into) {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  cpSync(join(target, "debug/libfalcon_patch_node.so"), join(into, addonName("x64")));
  const { generateTypeDef } = await import("@napi-rs/cli");
  const { dts } = await generateTypeDef({ typeDefDir: types, cwd: root });
  writeFileSync(join(root, declarations), dts);
}

/** Compiler flags that keep this machine's folders out of panic messages. Of several that match the last one counts. */
function hidePaths() {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  read("cargo", ["fetch", "--locked"]);
  const sources = join(cargo, "registry/src");
  const registries = readdirSync(sources).map((registry) => join(sources, registry));
  const replacements = [
    [cargo, "cargo"],
    [cache, "tools"],
    [root, "."],
    ...registries.map((path) => [path, "crates"]),
  ];
  return replacements.map(([path, name]) => `--remap-path-prefix=${path}=${name}`);
}

/** Throws where an addon needs a newer glibc than the oldest one supported, or holds a path of this machine. */
export function checkAddon(path) {
  const glibc = newestGlibc(path);
  if (compareVersions(glibc, oldestGlibc) > 0) {
    throw new CommandFailed(`\`${path}\` needs glibc ${glibc}, newer than ${oldestGlibc}`);
  }
  const leak = findMachinePath(readFileSync(path));
  if (leak) throw new CommandFailed(`\`${path}\` holds a path of this machine: ${leak}`);
}

/** Returns the newest version of glibc in the symbols that a library needs. */
export function newestGlibc(path) {
  const versions = [...read("readelf", ["--version-info", path]).matchAll(/GLIBC_([\d.]+)/g)].map(
    (match) => match[1],
  );
  return versions.sort(compareVersions).at(-1);
}

/** Returns the first text in a file that names a folder of this machine. */
export function findMachinePath(content) {
  const folders = [root, cache, homedir(), process.env.CARGO_HOME, process.env.RUSTUP_HOME];
  const text = content.toString("latin1");
  for (const folder of folders.filter((name) => name !== undefined && name !== "/")) {
    // `/rootfs` begins like `/root` and is another folder.
    const at = text.indexOf(`${folder}/`);
    if (at >= 0) return text.slice(at, at + 100).split(/[^ -~]/)[0];
  }
  return undefined;
}

function compareVersions(a, b) {
  return a.localeCompare(b, "en", { numeric: true });
}
