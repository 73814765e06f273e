// The state before a measurement: images in the registry, a repository of its own, and an empty engine.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { site, webConfig } from "../lab/images/catalogue.mjs";
import { image, index, layer, treeLayer } from "../lab/images/oci.mjs";
import { Registry } from "../lab/images/push.mjs";
import { sensorConfig, sensorFiles, VERSION } from "../lab/images/sensor.mjs";
import { derive } from "../task/images.mjs";
import { docker, front, registry } from "../task/lab.mjs";
import { kmsKey } from "../task/records.mjs";
import { layers } from "./layers.mjs";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const parts = process.env.LAB_PARTS;

/** Number of application layers in a source of so many MB, on top of nginx and its libraries. */
const applicationLayers = { 50: 0, 400: 1, 800: 2, 1500: 4 };
/** The size of each, in MB; a quick benchmark has smaller ones. */
const megabytes = { full: 362, quick: 36 };

/** The name of the key that signs records and entries. */
export const keyAlias = "alias/bench";

/** Distribution itself, behind ECR's front. */
const distribution = new Registry("http://127.0.0.1:5001");

export class Bed {
  #sources = new Map();
  #serial = 0;

  /** Builds the given sources and pushes them, with the sensor, the stub and the staging registry's image, and creates the key. */
  static async make(sources, { quick }) {
    const bed = new Bed();
    const count = Math.max(...Object.values(applicationLayers));
    const folder = await layers(parts, count, quick ? megabytes.quick : megabytes.full);
    for (const source of sources) await bed.#pushSource(source, folder);
    const sensor = sensorImage(folder);
    await bed.#push("bench/sensor", VERSION, sensor);
    await bed.#push("bench/registry", "2", stagingRegistry());
    await bed.#push("bench/stub", "1", stub());
    await kmsKey({ alias: keyAlias });
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
    const ordinary = [...this.#sources].filter(([name]) => !name.includes("-"));
    const sources = ordinary.map(([size, source]) => [size, sizesOf(source)]);
    return { sensor: this.sensor.sizes, sources: Object.fromEntries(sources) };
  }

  /** A new repository, in which the patched image has its place; the target's repository is that one or a second one. */
  async place({ target, mounting }) {
    this.#serial += 1;
    const repository = `bench/run-${this.#serial}`;
    await front("PUT", `/repositories/${repository}`, {});
    const other = target === "other" ? `${repository}-patched` : repository;
    await front("PUT", `/repositories/${other}`, { mounting });
    const nextBuild = (from) => this.#nextBuild(from);
    return { repository, target: `${registry}/${other}:1.4.2-falcon`, nextBuild };
  }

  /** Brings the source of a case into a repository of the bed. */
  async bring(wanted, repository) {
    const name = nameOf(wanted);
    const source = this.#sources.get(name);
    const tag = `1.4.2-source-${name}`;
    await distribution.mount(`bench/source-${name}`, repository, tag, source);
    return {
      source: `${registry}/${repository}:${tag}`,
      sourceByDigest: `${registry}/${repository}@${source.digest}`,
      sourceLayers: JSON.parse(source.bytes).layers.map(({ digest }) => digest),
    };
  }

  /** A build of a source that differs by the commit in its label, as the next build of a service may. */
  #nextBuild(from) {
    this.#serial += 1;
    const build = `${this.#serial}`;
    return derive(from, `build-${build}`, ({ config }) => {
      config.config.Labels = { ...config.config.Labels, "org.opencontainers.image.revision": build };
    });
  }

  async #pushSource({ source: size, layers: count }, folder) {
    const applications = Array.from({ length: applicationLayers[size] }, (_, number) =>
      treeLayer(join(folder, `app-${number + 1}`), "COPY app/ /opt/app/ # buildkit"),
    );
    const big = [
      treeLayer(join(parts, "tree-web-arm64"), "ADD nginx-rootfs.tar / # buildkit"),
      site(),
      ...applications,
    ];
    const small = Array.from({ length: (count ?? big.length) - big.length }, (_, number) =>
      layer({ [`srv/${count}/part-${number}`]: `${number}\n` }, "COPY part /srv/ # buildkit"),
    );
    const source = image({ platform: "linux/arm64", layers: [...big, ...small], config: webConfig() });
    const name = nameOf({ source: size, layers: count });
    await this.#push(`bench/source-${name}`, "1.4.2", source);
    this.#sources.set(name, source);
  }

  async #push(repository, tag, thing) {
    await front("PUT", `/repositories/${repository}`, {});
    await distribution.push(repository, tag, thing);
  }
}

/** A source's name by its size and, where that is not the usual one, its number of layers. */
export const nameOf = ({ source, layers: count }) => (count ? `${source}-${count}` : `${source}`);

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

/** The sources' configuration on an empty file, as what falconutil patches in a graft. */
function stub() {
  const empty = layer({ "srv/stub": "" }, "an empty file");
  return image({ platform: "linux/arm64", layers: [empty], config: webConfig() });
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

/** The stub in the engine, as a graft loads it there; its name is returned. */
export function loadStub() {
  const name = `${registry}/bench/stub:1`;
  docker("pull", "--quiet", "--platform", "linux/arm64", name);
  return name;
}
