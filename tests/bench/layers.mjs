// The big layers of the benchmark's images, made once per machine from the lab's Debian trees and kept in the cache.
import { execFile, execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { cached } from "../../scripts/tools.mjs";

const mebibyte = 1 << 20;
const recipe = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));

/**
 * Of each architecture the folder of Debian's libraries, and how many of four mebibytes are programs rather than tables in the files
 * that fill its sensor up: x86-64 programs compress less.
 */
const architectures = {
  amd64: { triplet: "x86_64-linux-gnu", programs: 1.87 },
  arm64: { triplet: "aarch64-linux-gnu", programs: 2.6 },
};
/** The sensor's addition to an image, unpacked: 221 MB by published figures. */
const sensorBytes = 221e6;

/**
 * The folder with `app-1` … `app-N` and `sensor-ARCHITECTURE`, each a layer as `treeLayer` of the lab's images reads it. A layer of an
 * application is `megabytes` big.
 */
export function layers(parts, count, megabytes) {
  const trees = ["web-arm64", "tools-amd64", "tools-arm64"].map((name) => digestOf(parts, name));
  const key = recipe.copy().update(trees.join()).digest("hex").slice(0, 16);
  return cached(`bench-${key}-${count}x${megabytes}`, async (folder) => {
    const work = mkdtempSync(join(tmpdir(), "falcon-bench-"));
    try {
      const web = tree(parts, "web-arm64");
      const applications = Array.from({ length: count }, (_, index) => {
        const root = join(work, `app-${index + 1}`);
        application(root, index + 1, megabytes, web);
        return pack(root, join(folder, `app-${index + 1}`));
      });
      const sensors = Object.keys(architectures).map((architecture) => {
        const root = join(work, `sensor-${architecture}`);
        sensor(root, architecture, parts);
        return pack(root, join(folder, `sensor-${architecture}`));
      });
      await Promise.all([...applications, ...sensors]);
    } finally {
      rmSync(work, { recursive: true });
    }
  });
}

const digestOf = (parts, name) => readFileSync(join(parts, `tree-${name}`, "diff-id"), "utf8").trim();
const tree = (parts, name) => gunzipSync(readFileSync(join(parts, `tree-${name}`, "layer.tar.gz")));

/** Files of one mebibyte, three quarters programs and libraries and one quarter random bytes, which together compress by about half. */
function application(root, number, megabytes, programs) {
  const random = randomBytes(`app ${number}`);
  const files = Math.round((megabytes * 1e6) / mebibyte);
  for (let index = 0; index < files; index += 1) {
    const path = join(root, `opt/app/part-${number}`, `${String(index).padStart(4, "0")}.bin`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat([slice(programs, index, 0.75), random(mebibyte / 4)]));
  }
}

/**
 * The sensor's root file system in the shape of a Red Hat one: the shell tools' libraries are in /usr/lib64, the folder that falconutil
 * copies, and files beside them make it as big as the real sensor's, and as compressible (to 52 of 221 MB).
 */
function sensor(root, architecture, parts) {
  mkdirSync(root, { recursive: true });
  const archive = join(parts, `tree-tools-${architecture}`, "layer.tar.gz");
  execFileSync("tar", ["--extract", "--gzip", "--file", archive, "--directory", root]);
  for (const path of [
    "usr/share",
    "usr/sbin",
    "sbin",
    "usr/bin/openssl",
    "usr/bin/localedef",
    "usr/bin/dpkg",
  ])
    rmSync(join(root, path), { recursive: true, force: true });
  const libraries = join(root, "usr/lib64");
  for (const [path, link] of [
    [`usr/lib/${architectures[architecture].triplet}`, "../lib64"],
    [`lib/${architectures[architecture].triplet}`, "../usr/lib64"],
  ]) {
    cpSync(join(root, path), libraries, { recursive: true, verbatimSymlinks: true });
    rmSync(join(root, path), { recursive: true });
    symlinkSync(link, join(root, path));
  }
  fill(libraries, architecture, tree(parts, `tools-${architecture}`));
}

function fill(libraries, architecture, programs) {
  const used = Number(
    execFileSync("du", ["--bytes", "--summarize", libraries], { encoding: "utf8" }).split("\t")[0],
  );
  const files = Math.round((sensorBytes - used) / (4 * mebibyte));
  for (let index = 0; index < files; index += 1) {
    const text = `stand-in of a table for ${architecture}, part ${index}\n`;
    const share = architectures[architecture].programs;
    const content = [slice(programs, index, share), Buffer.alloc((4 - share) * mebibyte, text)];
    writeFileSync(join(libraries, `libfalcon-stand-in-${index}.so`), Buffer.concat(content));
  }
}

/** So many mebibytes of the tree, from another place each time. */
function slice(programs, index, mebibytes) {
  const length = Math.round(mebibytes * mebibyte);
  const start = (index * 7919 * 4096) % (programs.length - length);
  return programs.subarray(start, start + length);
}

/** The same bytes on each machine, so that two machines measure the same images. */
function randomBytes(name) {
  const key = createHash("sha256").update(name).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

/** As the lab's recipe for trees does it. */
async function pack(root, into) {
  mkdirSync(into, { recursive: true });
  const script = `
    set -eu
    tar --create --sort=name --numeric-owner --owner=0 --group=0 --mtime=@1700000000 --file="$2/layer.tar" --directory="$1" .
    sha256sum "$2/layer.tar" | cut -d ' ' -f 1 >"$2/diff-id"
    gzip -n -6 "$2/layer.tar"`;
  await promisify(execFile)("sh", ["-c", script, "pack", root, into]);
}
