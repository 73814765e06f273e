import assert from "node:assert/strict";
import { test } from "node:test";
import { currentPlatform, loadAddon, type Platform, unsupported } from "../src/addon.ts";

const good: Platform = { os: "linux", architecture: "x64", glibc: "2.36", node: "v24.0.0" };

test("Supported agents run Linux with glibc on x64 or arm64", () => {
  const cases: [Partial<Platform>, reason: RegExp | undefined][] = [
    [{}, undefined],
    [{ architecture: "arm64" }, undefined],
    [{ glibc: "2.28" }, undefined],
    [{ glibc: "3.0" }, undefined],
    [{ glibc: "2.27" }, /glibc 2\.27/],
    [{ glibc: "2.4" }, /glibc 2\.4/],
    [{ glibc: undefined }, /musl/],
    [{ architecture: "arm" }, /`arm`/],
    [{ os: "win32" }, /Windows/],
    [{ os: "darwin" }, /macOS/],
    [{ os: "freebsd" }, /freebsd/],
  ];
  for (const [changes, reason] of cases) {
    const found = unsupported({ ...good, ...changes });
    if (reason === undefined) assert.equal(found, undefined, JSON.stringify(changes));
    else assert.match(found ?? "", reason);
  }
});

test("An unsupported agent is refused before the addon is loaded", () => {
  const loaded = loadAddon("/nowhere", { ...good, os: "win32" });
  assert.ok("failure" in loaded);
  assert.equal(loaded.failure.code, "TASK_AGENT_UNSUPPORTED");
  assert.match(loaded.failure.what, /but this agent runs Windows$/);
});

test("A loader error names Node, architecture and glibc, and keeps its own text", () => {
  const loaded = loadAddon("/nowhere", good);
  assert.ok("failure" in loaded);
  assert.match(loaded.failure.what, /Node v24\.0\.0, x64, glibc 2\.36/);
  assert.match(loaded.failure.why.join(), /\/nowhere\/native\/falcon-patch\.linux-x64\.node/);
});

test("Platform and glibc of this machine are recognised", () => {
  const platform = currentPlatform();
  assert.equal(platform.os, process.platform);
  assert.equal(platform.architecture, process.arch);
  if (process.platform === "linux") assert.match(platform.glibc ?? "2.0", /^\d+\.\d+/);
});
