// The sensor images: Debian's shell tools, a stand-in falconutil, and for each variant one more file that names its behaviour.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { image, index, layer } from "./oci.mjs";

export const VERSION = "7.39.0-7802";
// What each variant does is in fixtures/sensor/falconutil; `go` is another program, `go-in-image` the same, which works in its own
// image alone, and `dynamic` is started by a third.
const VARIANTS = [
  "no-platform",
  "own-platform",
  "pulls",
  "other-texts",
  "extra",
  "split-layers",
  "two-layers",
  "empty-layer",
  "foreign-paths",
  "copy-elsewhere",
  "much-output",
  "fails",
  "no-effect",
  "no-image",
  "slow",
  "hostile",
  "attacks",
  "go",
  "go-in-image",
  "dynamic",
];

export function sensorImages(cache, trees, fixtures) {
  const files = {
    amd64: sensorFiles(cache, fixtures, "amd64"),
    arm64: sensorFiles(cache, fixtures, "arm64"),
  };
  const behaviours = {
    go: (architecture) => goProgram(cache, architecture),
    "go-in-image": (architecture) =>
      goProgram(cache, architecture, { "etc/falconutil-architecture": `${architecture}\n` }),
    dynamic: (architecture) => behaviour("dynamic", dynamicProgram(cache, fixtures, architecture)),
    attacks: () =>
      behaviour("attacks", { "usr/bin/falconutil-attacks": script(fixtures, "falconutil-attacks") }),
  };
  const layerOf = (variant, architecture) => behaviours[variant]?.(architecture) ?? behaviour(variant);
  const build = (architecture, version, variant) =>
    image({
      platform: `linux/${architecture}`,
      layers: [
        trees[architecture],
        files[architecture],
        ...(variant ? [layerOf(variant, architecture)] : []),
      ],
      config: sensorConfig(version),
    });
  const both = (variant) => index([build("amd64", VERSION, variant), build("arm64", VERSION, variant)]);
  return {
    [VERSION]: both(),
    ...Object.fromEntries(VARIANTS.map((variant) => [`${VERSION}-${variant}`, both(variant)])),
    [`${VERSION}-amd64-only`]: build("amd64", VERSION),
    [`${VERSION}-arm64-only`]: build("arm64", VERSION),
    "7.31.0-7003.container.aarch64": build("arm64", "7.31.0-7003", "no-platform"),
    "7.32.0-7105.container.aarch64": build("arm64", "7.32.0-7105", "own-platform"),
  };
}

const behaviour = (variant, files = {}) =>
  layer(
    { "etc/falconutil-variant": `${variant}\n`, ...files },
    "COPY variant /etc/falconutil-variant # buildkit",
  );

const script = (fixtures, name) => ({ from: join(fixtures, "sensor", name), mode: 0o755 });

// The stand-in that uses moby's own client.
const goProgram = (cache, architecture, files = {}) =>
  layer(
    {
      "usr/bin/falconutil": { from: join(cache, "falconutil", `falconutil-${architecture}`), mode: 0o755 },
      ...files,
    },
    "COPY falconutil /usr/bin/ # buildkit",
  );

// A falconutil that needs its image: Debian's `env`, which is linked dynamically, runs the file that its first argument names.
const dynamicProgram = (cache, fixtures, architecture) => ({
  "usr/bin/falconutil": { content: fromTools(cache, architecture, "usr/bin/env"), mode: 0o755 },
  "usr/bin/patch-image": {
    content: '#!/bin/sh\nexec /usr/bin/falconutil-script patch-image "$@"\n',
    mode: 0o755,
  },
  "usr/bin/falconutil-script": script(fixtures, "falconutil"),
});

export const sensorConfig = (version) => ({
  Env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    `FALCON_SENSOR_VERSION=${version}`,
  ],
  Entrypoint: ["/usr/bin/sensor-entrypoint"],
  Labels: {
    name: "falcon-sensor",
    version,
    summary: "Stand-in for tests, made from Debian packages. It holds no CrowdStrike software.",
  },
});

// The static shell is all that the patched image starts by itself, so it must be the target architecture's own.
export function sensorFiles(cache, fixtures, architecture) {
  const fixture = (name) => script(fixtures, name);
  return layer(
    {
      "usr/bin/falconutil": fixture("falconutil"),
      "usr/bin/sensor-entrypoint": fixture("sensor-entrypoint"),
      "usr/bin/falcon-entrypoint": fixture("falcon-entrypoint"),
      "usr/bin/falconctl": fixture("falconctl"),
      // falconutil's own needs that its packages do not bring.
      "usr/bin/sed": { link: "/bin/busybox" },
      "usr/bin/grep": { link: "/bin/busybox" },
      "usr/bin/tar": { link: "/bin/busybox" },
      "usr/lib64/busybox": { content: fromTools(cache, architecture, "bin/busybox"), mode: 0o755 },
      "usr/lib64/falcon-injector.so": "Stand-in for the injector library.\n",
      "usr/lib/locale/C.utf8/LC_IDENTIFICATION": "Stand-in for a locale.\n",
      "etc/ssl/certs/ca-bundle.crt": "# Stand-in for the CA bundle.\n",
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
      "etc/group": "root:x:0:\n",
      tmp: { dir: true, mode: 0o1777 },
    },
    "COPY falcon/ / # buildkit",
  );
}

const fromTools = (cache, architecture, path) =>
  execFileSync("tar", ["-xzOf", join(cache, `tree-tools-${architecture}`, "layer.tar.gz"), `./${path}`], {
    maxBuffer: 1 << 26,
  });
