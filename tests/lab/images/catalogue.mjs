// Every image of the lab: repository → tag → image or index.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { image, index, layer, treeLayer } from "./oci.mjs";
import { sensorImages } from "./sensor.mjs";

const fixtures = fileURLToPath(new URL("../../fixtures/", import.meta.url));

export function catalogue(cache) {
  const trees = {
    web: treeLayer(join(cache, "tree-web-arm64"), "ADD nginx-rootfs.tar / # buildkit"),
    amd64: treeLayer(join(cache, "tree-tools-amd64"), "ADD rootfs.tar / # buildkit"),
    arm64: treeLayer(join(cache, "tree-tools-arm64"), "ADD rootfs.tar / # buildkit"),
  };
  return {
    "app/web": webImages(trees),
    "app/immutable": { "1.0": web(trees), "1.0-falcon": patched(trees) },
    "app/excluded": { "1.0": web(trees), latest: web(trees) },
    containersensor: sensorImages(cache, trees, fixtures),
    "lab/binfmt": emulatorImages(cache, trees),
    "lab/registry": { 2: registryImage(cache, trees) },
  };
}

function webImages(trees) {
  const arm64 = web(trees, { family: "oci" });
  const amd64 = image({
    family: "oci",
    platform: "linux/amd64",
    layers: [trees.amd64, site()],
    config: {
      ...webConfig(),
      Entrypoint: null,
      Cmd: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/usr/share/nginx/html"],
    },
  });
  return {
    "1.4.2": web(trees),
    "1.4.2-index": index([amd64, arm64], { attested: true }),
    oci: web(trees, { family: "oci", platform: "linux/arm64/v8" }),
    root: web(trees, { config: { User: "", Labels: null, Healthcheck: undefined, Volumes: undefined } }),
    "no-entrypoint": web(trees, {
      config: { Entrypoint: null, Cmd: ["/docker-entrypoint.sh", ...webConfig().Cmd] },
    }),
    "amd64-only": amd64,
    "already-patched": patched(trees),
  };
}

const web = (trees, { config, family, platform = "linux/arm64" } = {}) =>
  image({ family, platform, layers: [trees.web, site()], config: { ...webConfig(), ...config } });

// One field of each kind, so that a patch which drops or changes any of them is seen.
export const webConfig = () => ({
  User: "101:101",
  ExposedPorts: { "8080/tcp": {} },
  Env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "NGINX_VERSION=1.22.1",
    'APP_GREETING=hello from "web" at $5',
  ],
  Entrypoint: ["/docker-entrypoint.sh"],
  Cmd: ["nginx", "-c", "/etc/nginx/web.conf", "-g", "daemon off;"],
  Healthcheck: {
    Test: ["CMD", "/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"],
    Interval: 30000000000,
    Timeout: 3000000000,
  },
  Volumes: { "/var/cache/nginx": {} },
  WorkingDir: "/usr/share/nginx",
  StopSignal: "SIGQUIT",
  Labels: {
    "org.opencontainers.image.title": "web",
    "org.opencontainers.image.version": "1.4.2",
    maintainer: "Web team <web@example.com>",
  },
});

// The packages were unpacked and never configured, so the accounts come from here.
export function site() {
  return layer(
    {
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnginx:x:101:101:nginx:/var/cache/nginx:/bin/sh\n",
      "etc/group": "root:x:0:\nnginx:x:101:\n",
      "etc/nginx/web.conf": { from: join(fixtures, "web/web.conf") },
      "usr/share/nginx/html/index.html": { from: join(fixtures, "web/index.html") },
      "docker-entrypoint.sh": { from: join(fixtures, "web/docker-entrypoint.sh"), mode: 0o755 },
      "var/log/nginx": { dir: true, owner: 101 },
      "var/cache/nginx": { dir: true, owner: 101 },
      "var/lib/nginx": { dir: true, owner: 101 },
      run: { dir: true },
    },
    "COPY site/ / # buildkit",
  );
}

// An image that carries the sensor already, with just as much of it as a look at its configuration can see.
function patched(trees) {
  const sensor = layer(
    {
      "opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint": {
        from: join(fixtures, "sensor/falcon-entrypoint"),
        mode: 0o755,
      },
      "opt/CrowdStrike/rootfs/bin": { link: "usr/bin" },
    },
    "COPY /tmp/CrowdStrike /opt/CrowdStrike # buildkit",
  );
  const config = webConfig();
  return image({
    platform: "linux/arm64",
    layers: [trees.web, site(), sensor],
    config: {
      ...config,
      Env: [
        ...config.Env,
        "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs",
        "FALCONCTL_OPTS=--cid=0123456789ABCDEF0123456789ABCDEF-01",
        "CS_CLOUD_SERVICE=ECS_FARGATE",
      ],
      Entrypoint: ["/opt/CrowdStrike/rootfs/bin/falcon-entrypoint", ...config.Entrypoint],
    },
  });
}

// QEMU and an installer with the command line of tonistiigi/binfmt, as one linux/amd64 image.
function emulatorImages(cache, trees) {
  const qemu = layer(
    { "usr/bin/qemu-aarch64": { from: join(cache, "emulator/qemu-aarch64-static"), mode: 0o755 } },
    "COPY qemu-aarch64 /usr/bin/ # buildkit",
  );
  const installer = (behaviour) =>
    layer(
      {
        "usr/bin/binfmt": { from: join(fixtures, "emulator/binfmt"), mode: 0o755 },
        "etc/binfmt-behaviour": `${behaviour}\n`,
      },
      "COPY binfmt /usr/bin/ # buildkit",
    );
  const emulator = (behaviour) =>
    image({
      platform: "linux/amd64",
      layers: [trees.amd64, qemu, installer(behaviour)],
      config: { Env: ["PATH=/usr/bin:/bin"], Entrypoint: ["/usr/bin/binfmt"] },
    });
  return { "qemu-v7.2": emulator("installs"), "no-effect": emulator("no-effect") };
}

// Debian's build of Distribution's registry, laid out as the image `registry:2`, with its anonymous volume.
function registryImage(cache, trees) {
  const registry = layer(
    {
      "bin/registry": { from: join(cache, "registry/usr/bin/docker-registry"), mode: 0o755 },
      "etc/docker/registry/config.yml":
        "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: ':5000'}\n",
      "var/lib/registry": { dir: true },
    },
    "COPY registry /bin/ # buildkit",
  );
  return image({
    platform: "linux/amd64",
    layers: [trees.amd64, registry],
    config: {
      Env: ["PATH=/usr/bin:/bin"],
      ExposedPorts: { "5000/tcp": {} },
      Volumes: { "/var/lib/registry": {} },
      Entrypoint: ["/bin/registry"],
      Cmd: ["serve", "/etc/docker/registry/config.yml"],
    },
  });
}
