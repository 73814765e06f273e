// A line between agent and ECR: both directions of the registry's port limited, and each request answered later. The traffic of the
// engine with itself, and that of the front with the registry behind it, stay as fast as loopback.
import { execFileSync } from "node:child_process";
import { front } from "../task/lab.mjs";
import { line } from "./rows.mjs";

const run = (program, ...args) => execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
/** The engine's root file system has the only iptables. */
const iptables = (...args) =>
  run("chroot", process.env.LAB_ENGINE_ROOT, "iptables", "--table", "mangle", ...args);

/** This kernel has no classifier of tc's own, so iptables puts each packet into its class. */
export async function useLine() {
  run("tc", "qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb");
  for (const [direction, number] of [
    ["--source-port", 10],
    ["--destination-port", 20],
  ]) {
    const limit = ["rate", `${line.megabits}mbit`, "burst", "128kb", "latency", "400ms"];
    run(
      "tc",
      "class",
      "add",
      "dev",
      "lo",
      "parent",
      "1:",
      "classid",
      `1:${number}`,
      "htb",
      "rate",
      "10gbit",
      "quantum",
      "65536",
    );
    run("tc", "qdisc", "add", "dev", "lo", "parent", `1:${number}`, "handle", `${number}:`, "tbf", ...limit);
    iptables(
      "--append",
      "OUTPUT",
      "--protocol",
      "tcp",
      direction,
      "443",
      "--jump",
      "CLASSIFY",
      "--set-class",
      `1:${number}`,
    );
  }
  await front("POST", "/faults", { delayMs: line.delayMs });
}
