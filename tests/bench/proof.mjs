// Proof that a flow pushed the right image; the time of a wrong one is worth nothing.

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
/** The sensor's layer, compressed, in bytes: by published figures about 52 MB, in one compression or another. */
const sensorLayer = { least: 45e6, most: 65e6 };

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Faults of a patched image, from its configuration, its layers' descriptors and its source's configuration. */
export function faultsOf({ config: after, layers }, before) {
  const sourceLayers = before.rootfs.diff_ids;
  const { size } = layers.at(-1);
  return [
    [same(after.config.Entrypoint, [falconEntrypoint, ...before.config.Entrypoint]), "another entrypoint"],
    [after.architecture === "arm64", `the architecture ${after.architecture}`],
    [
      same(after.rootfs.diff_ids.slice(0, sourceLayers.length), sourceLayers),
      "other layers than the source's",
    ],
    [
      layers.length === sourceLayers.length + 1,
      `${layers.length} layers, where the source has ${sourceLayers.length}`,
    ],
    [size >= sensorLayer.least && size <= sensorLayer.most, `a sensor's layer of ${size} bytes`],
  ]
    .filter(([holds]) => !holds)
    .map(([, fault]) => fault);
}

/** Layers of the source that were fetched from the registry, by the requests that it saw. */
export function fetched(sourceLayers, requests) {
  const isFetched = (digest) =>
    requests.some(({ method, path }) => method === "GET" && path.includes(digest.replace("sha256:", "")));
  return sourceLayers.filter(isFetched);
}
