// Images in the registry that tests change or look into.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { config, crane, docker, front, manifest, registry, registryPassword } from "./lab.mjs";

export const authorization = `Basic ${Buffer.from(`AWS:${registryPassword}`).toString("base64")}`;

export const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Host, repository and tag or digest of a reference. */
export function parts(reference) {
  const [, host, name, , tag, digest] = reference.match(/^([^/]+)\/([^:@]+)(:([^@]+))?(?:@(.+))?$/);
  return { host, name, reference: digest ?? tag };
}

/** Sends a request to a registry, and returns the expected answer. */
export async function request(method, url, { headers, body, expected }) {
  const answer = await fetch(url, {
    method,
    headers: { authorization, connection: "close", ...headers },
    body,
  });
  if (answer.status !== expected)
    throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** Pushes a blob, and returns its digest and size. */
export async function putBlob({ host, name }, bytes) {
  const digest = sha256(bytes);
  const base = `https://${host}/v2/${name}/blobs/uploads/`;
  const session = await request("POST", base, { expected: 202 });
  const place = new URL(session.headers.get("location"), base);
  place.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  await request("PUT", place, { headers, body: bytes, expected: 201 });
  return { digest, size: bytes.length };
}

/** Pushes a variant of an image to another tag of its repository; `change` gets its configuration and its manifest. */
export async function derive(from, tag, change, layer) {
  const place = parts(from);
  const documents = { config: config(from), manifest: manifest(from) };
  change(documents);
  if (layer !== undefined) {
    const blob = await putBlob(place, gzipSync(layer));
    documents.manifest.layers.push({ ...blob, mediaType: documents.manifest.layers[0].mediaType });
    documents.config.rootfs.diff_ids.push(sha256(layer));
    documents.config.history.push({ created_by: "COPY" });
  }
  const bytes = Buffer.from(JSON.stringify(documents.config));
  Object.assign(documents.manifest.config, await putBlob(place, bytes));
  await request("PUT", `https://${place.host}/v2/${place.name}/manifests/${tag}`, {
    headers: { "content-type": documents.manifest.mediaType },
    body: JSON.stringify(documents.manifest),
    expected: 201,
  });
  return `${place.host}/${place.name}:${tag}`;
}

async function blob({ host, name }, digest) {
  const answer = await request("GET", `https://${host}/v2/${name}/blobs/${digest}`, { expected: 200 });
  return Buffer.from(await answer.arrayBuffer());
}

/** Pushes an image whose layers are those of another, in zstd instead of gzip; their unpacked digests stay. */
export async function recompressed(from, tag) {
  const place = parts(from);
  const packed = await Promise.all(
    manifest(from).layers.map(async ({ digest, mediaType }) => {
      const unpacked = gunzipSync(await blob(place, digest));
      return { ...(await putBlob(place, asZstd(unpacked))), mediaType: mediaType.replace(/gzip$/, "zstd") };
    }),
  );
  return derive(from, tag, (image) => {
    image.manifest.layers = packed;
  });
}

/** A frame of Zstandard with stored blocks (RFC 8878), since Node 20 cannot compress to it. */
function asZstd(bytes) {
  const longest = 128 * 1024;
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])];
  for (let at = 0; at < bytes.length; at += longest) {
    const block = bytes.subarray(at, at + longest);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + longest >= bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

/** Pushes an image that has a number of layers, the last ones of one empty file each. */
export async function manyLayers(from, number) {
  const place = parts(from);
  const missing = Array.from({ length: number - manifest(from).layers.length }, (_, index) =>
    emptyFile(`${index}`),
  );
  const blobs = [];
  for (const layer of missing) blobs.push(await putBlob(place, gzipSync(layer)));
  return derive(from, `layers-${number}`, (image) => {
    const [{ mediaType }] = image.manifest.layers;
    image.manifest.layers.push(...blobs.map((blob) => ({ ...blob, mediaType })));
    image.config.rootfs.diff_ids.push(...missing.map(sha256));
    image.config.history.push(...missing.map(() => ({ created_by: "COPY" })));
  });
}

/** A layer that holds one empty file. */
function emptyFile(path) {
  const header = Buffer.alloc(512);
  const octal = (value, length) => value.toString(8).padStart(length - 1, "0");
  const fields = [
    [0, `srv/${path}`],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(0, 12)],
    [136, octal(0, 12)],
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\0" + "00"],
  ];
  for (const [at, text] of fields) header.write(text, at, "latin1");
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${octal(sum, 7)}\0 `, 148, "latin1");
  return Buffer.concat([header, Buffer.alloc(1024)]);
}

/** Every path of an image with what it is: kind, mode, owner, and its content or target; times are left out. */
export function filesystem(reference) {
  const folder = mkdtempSync(join(process.env.LAB_TMP ?? tmpdir(), "files-"));
  try {
    docker("pull", "--quiet", "--platform", "linux/arm64", reference);
    const container = docker("create", "--platform", "linux/arm64", reference, "nothing");
    docker("export", "--output", `${folder}.tar`, container);
    docker("rm", "--volumes", container);
    execFileSync("tar", ["-xpf", `${folder}.tar`, "-C", folder, "--numeric-owner", "--exclude=dev/*"]);
    const files = {};
    for (const entry of readdirSync(folder, { recursive: true })) {
      files[relative(folder, join(folder, entry))] = described(join(folder, entry));
    }
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.tar`, { force: true });
    docker("image", "rm", reference);
  }
}

function described(path) {
  const entry = lstatSync(path);
  const owner = `${(entry.mode & 0o7777).toString(8)} ${entry.uid}:${entry.gid}`;
  if (entry.isSymbolicLink()) return `${owner} → ${readlinkSync(path)}`;
  if (!entry.isFile()) return `${owner} ${entry.isDirectory() ? "folder" : "special"}`;
  return `${owner} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

/** Has the registry answer once that it does not know an image by its digest, and returns the pinned name. */
export async function uncached(repository, tag, code) {
  const digest = crane("digest", `${registry}/${repository}:${tag}`);
  await front("POST", "/faults", {
    match: { pathPattern: `^/v2/${repository}/manifests/${digest}$` },
    count: 1,
    answer: { status: 404, body: { errors: [{ code, message: "Requested image not found" }] } },
  });
  return `${registry}/${repository}:${tag}@${digest}`;
}
