// The state before a measurement: images in the registry, a repository of its own, and an empty engine.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { site, webConfig } from "../lab/images/catalogue.mjs";
import { image, index, layer, treeLayer } from "../lab/images/oci.mjs";
import { Registry } from "../lab/images/push.mjs";
import { sensorConfig, sensorFiles, VERSION } from "../lab/images/sensor.mjs";
import { docker, front, registry } from "../task/lab.mjs";
import { layers } from "./layers.mjs";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const parts = process.env.LAB_PARTS;

/** Number of application layers in a source of so many MB, on top of nginx and its libraries. */
const applicationLayers = { 50: 0, 400: 1, 800: 2, 1500: 4 };
/** The size of each, in MB; a quick benchmark has smaller ones. */
const megabytes = { full: 362, quick: 36 };

/** Distribution itself, behind ECR's front. */
const distribution = new Registry("http://127.0.0.1:5001");

export class Bed {
  #sources = new Map();
  #serial = 0;

  /** Builds the sources of the given sizes and pushes them, with the sensor and the staging registry's image. */
  static async make(sizes, { quick }) {
    const bed = new Bed();
    const count = Math.max(...Object.values(applicationLayers));
    const folder = await layers(parts, count, quick ? megabytes.quick : megabytes.full);
    for (const size of sizes) await bed.#pushSource(size, folder);
    const sensor = sensorImage(folder);
    await bed.#push("bench/sensor", VERSION, sensor);
    await bed.#push("bench/registry", "2", stagingRegistry());
    bed.sensor = {
      reference: `${registry}/bench/sensor:${VERSION}`,
      native: `${registry}/bench/sensor@${sensor.children[0].digest}`,
      arm64: `${registry}/bench/sensor@${sensor.children[1].digest}`,
      sizes: sizesOf(sensor.children[1]),
    };
    return bed;
  }

  /** Compressed sizes of the measured images, for the record. */
  get sizes() {
    const sources = [...this.#sources].map(([size, source]) => [size, sizesOf(source)]);
    return { sensor: this.sensor.sizes, sources: Object.fromEntries(sources) };
  }

  /** A new repository that holds one source and nothing else, and the place of its patched image. */
  async place({ source: size, target, mounting }) {
    this.#serial += 1;
    const repository = `bench/run-${this.#serial}`;
    const source = this.#sources.get(size);
    await front("PUT", `/repositories/${repository}`, {});
    await distribution.mount(`bench/source-${size}`, repository, "1.4.2", source);
    const other = target === "other" ? `${repository}-patched` : repository;
    await front("PUT", `/repositories/${other}`, { mounting });
    return {
      source: `${registry}/${repository}:1.4.2`,
      sourceByDigest: `${registry}/${repository}@${source.digest}`,
      sourceLayers: JSON.parse(source.bytes).layers.map(({ digest }) => digest),
      target: `${registry}/${other}:1.4.2-falcon`,
    };
  }

  async #pushSource(size, folder) {
    const applications = Array.from({ length: applicationLayers[size] }, (_, number) =>
      treeLayer(join(folder, `app-${number + 1}`), "COPY app/ /opt/app/ # buildkit"),
    );
    const source = image({
      platform: "linux/arm64",
      layers: [
        treeLayer(join(parts, "tree-web-arm64"), "ADD nginx-rootfs.tar / # buildkit"),
        site(),
        ...applications,
      ],
      config: webConfig(),
    });
    await this.#push(`bench/source-${size}`, "1.4.2", source);
    this.#sources.set(size, source);
  }

  async #push(repository, tag, thing) {
    await front("PUT", `/repositories/${repository}`, {});
    await distribution.push(repository, tag, thing);
  }
}

/** The lab's stand-in with a root file system as big as the real sensor's, for both architectures. */
function sensorImage(folder) {
  const images = ["amd64", "arm64"].map((architecture) =>
    image({
      platform: `linux/${architecture}`,
      layers: [
        treeLayer(join(folder, `sensor-${architecture}`), "ADD rootfs.tar / # buildkit"),
        sensorFiles(parts, fixtures, architecture),
      ],
      config: sensorConfig(VERSION),
    }),
  );
  return index(images);
}

/** A stand-in for `registry:2`: Debian's build of the same program, started in the same way, with its storage in a volume too. */
function stagingRegistry() {
  const configuration = [
    "version: 0.1",
    "storage: {cache: {blobdescriptor: inmemory}, filesystem: {rootdirectory: /var/lib/registry}}",
    "http: {addr: ':5000'}",
  ];
  const program = layer(
    {
      "usr/bin/registry": { from: join(parts, "registry/usr/bin/docker-registry"), mode: 0o755 },
      "etc/registry.yml": `${configuration.join("\n")}\n`,
    },
    "COPY registry / # buildkit",
  );
  return image({
    platform: "linux/amd64",
    layers: [treeLayer(join(parts, "tree-tools-amd64"), "ADD rootfs.tar / # buildkit"), program],
    config: {
      Env: ["PATH=/usr/bin:/bin"],
      Entrypoint: ["/usr/bin/registry", "serve", "/etc/registry.yml"],
      ExposedPorts: { "5000/tcp": {} },
      Volumes: { "/var/lib/registry": {} },
    },
  });
}

const sizesOf = ({ bytes }) => JSON.parse(bytes).layers.map(({ size }) => size);

/** An engine without images, containers and build cache, on a disk that has nothing left to write. */
export function emptyEngine() {
  execFileSync("engine", ["empty"]);
  execFileSync("sync");
}

/** `registry:2` as it is on an agent that has pulled it before. */
export function loadStagingRegistry() {
  docker("pull", "--quiet", `${registry}/bench/registry:2`);
  docker("tag", `${registry}/bench/registry:2`, "registry:2");
}
