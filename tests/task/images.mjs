// Images in the registry that tests change or look into.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { config, docker, manifest, registryPassword } from "./lab.mjs";

const authorization = `Basic ${Buffer.from(`AWS:${registryPassword}`).toString("base64")}`;

const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Host, repository and tag or digest of a reference. */
function parts(reference) {
  const [, host, name, , tag, digest] = reference.match(/^([^/]+)\/([^:@]+)(:([^@]+))?(?:@(.+))?$/);
  return { host, name, reference: digest ?? tag };
}

async function request(method, url, { headers, body, expected }) {
  const answer = await fetch(url, {
    method,
    headers: { authorization, connection: "close", ...headers },
    body,
  });
  if (answer.status !== expected)
    throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function putBlob({ host, name }, bytes) {
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
