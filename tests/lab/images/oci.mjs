// Layers, configurations, manifests and indexes as bytes, made here so that the lab knows and controls every field of its images.
// https://github.com/opencontainers/image-spec and https://distribution.github.io/distribution/spec/manifest-v2-2/
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const FAMILIES = {
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
};
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const CREATED = "2026-03-02T09:30:00Z";

/** A layer that prepare.sh made from Debian packages. */
export function treeLayer(folder, comment) {
  const bytes = readFileSync(join(folder, "layer.tar.gz"));
  return {
    bytes,
    digest: sha256(bytes),
    diffId: `sha256:${readFileSync(join(folder, "diff-id"), "utf8").trim()}`,
    comment,
  };
}

/**
 * A layer from a table of paths: a string or Buffer is a file's content, `{ from }` copies a file, `{ link }` is a symlink,
 * `{ dir: true }` a folder; `mode` and `owner` (one number for user and group) may stand beside.
 */
export function layer(entries, comment) {
  const root = mkdtempSync(join(tmpdir(), "falcon-lab-layer-"));
  try {
    chmodSync(root, 0o755);
    for (const [path, given] of Object.entries(entries)) {
      const entry = typeof given === "string" || Buffer.isBuffer(given) ? { content: given } : given;
      const target = join(root, path);
      mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
      if (entry.link) {
        symlinkSync(entry.link, target);
        continue;
      }
      if (entry.dir) mkdirSync(target, { recursive: true });
      else writeFileSync(target, entry.from ? readFileSync(entry.from) : entry.content);
      chmodSync(target, entry.mode ?? (entry.dir ? 0o755 : 0o644));
      if (entry.owner) chownSync(target, entry.owner, entry.owner);
    }
    const flags = ["--create", "--sort=name", "--numeric-owner", "--mtime=@1700000000", "-C", root];
    const tar = execFileSync("tar", [...flags, "--no-recursion", "--null", "--files-from=-"], {
      input: listing(root),
      maxBuffer: 1 << 30,
    });
    const bytes = gzipSync(tar, { level: 6 });
    return { bytes, digest: sha256(bytes), diffId: sha256(tar), comment };
  } finally {
    rmSync(root, { recursive: true });
  }
}

// The root folder itself is left out, so that a layer changes nothing of it.
const listing = (root) => execFileSync("find", [".", "-mindepth", "1", "-print0"], { cwd: root });

/** One image: its blobs, and its manifest's bytes. */
export function image({ family = "docker", platform, layers, config, annotations }) {
  const types = FAMILIES[family];
  const [os, architecture, variant] = platform.split("/");
  const configuration = json({
    architecture,
    ...(variant && { variant }),
    os,
    created: CREATED,
    config,
    rootfs: { type: "layers", diff_ids: layers.map((each) => each.diffId) },
    history: [
      ...layers.map((each) => ({
        created: CREATED,
        created_by: each.comment,
        comment: "buildkit.dockerfile.v0",
      })),
      {
        created: CREATED,
        created_by: `CMD ${JSON.stringify(config.Cmd ?? null)}`,
        comment: "buildkit.dockerfile.v0",
        empty_layer: true,
      },
    ],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: describe(types.config, configuration),
    layers: layers.map((each) => describe(types.layer, each.bytes)),
    ...(annotations && { annotations }),
  });
  return {
    blobs: [configuration, ...layers.map((each) => each.bytes)],
    mediaType: types.manifest,
    bytes: manifest,
    digest: sha256(manifest),
    platform: { architecture, os, ...(variant && { variant }) },
  };
}

/** An index, with an attestation manifest for each image when asked, as `docker buildx build` leaves by default. */
export function index(images, { attested = false } = {}) {
  const children = attested ? [...images, ...images.map(attestation)] : images;
  const bytes = json({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: children.map((child) => ({
      ...describe(child.mediaType, child.bytes),
      ...(child.annotations && { annotations: child.annotations }),
      platform: child.platform,
    })),
  });
  return { children, mediaType: OCI_INDEX, bytes, digest: sha256(bytes) };
}

// https://docs.docker.com/build/metadata/attestations/attestation-storage/
function attestation(subject) {
  const statement = json({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
    subject: [{ name: "pkg:docker/app/web", digest: { sha256: subject.digest.slice("sha256:".length) } }],
    predicate: { buildType: "https://mobyproject.org/buildkit@v1" },
  });
  const configuration = json({
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: [sha256(statement)] },
  });
  const bytes = json({
    schemaVersion: 2,
    mediaType: FAMILIES.oci.manifest,
    config: describe(FAMILIES.oci.config, configuration),
    layers: [
      {
        ...describe("application/vnd.in-toto+json", statement),
        annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" },
      },
    ],
  });
  return {
    blobs: [configuration, statement],
    mediaType: FAMILIES.oci.manifest,
    bytes,
    platform: { architecture: "unknown", os: "unknown" },
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": subject.digest,
    },
  };
}

const json = (value) => Buffer.from(JSON.stringify(value, null, 2));
const describe = (mediaType, bytes) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
