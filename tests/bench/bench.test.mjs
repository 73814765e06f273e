// The benchmark's own arithmetic and drawing, without a lab. Its measurements are tried by `npm run bench -- --quick`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { chart, groupsOf } from "./chart.mjs";
import { between, summary } from "./documents.mjs";
import { faultsOf, fetched } from "./proof.mjs";
import { chosen, rows } from "./rows.mjs";
import { aligned, circumstances, figures, goals, markdown } from "./table.mjs";
import { idOf, turnsOf } from "./turns.mjs";
import { evaluate, median, verdict } from "./verdicts.mjs";

/** Seconds of each flow in rounds 1, 2 and 3; the median is the second of them in order of size. */
const times = {
  pipeline: [50, 40, 30],
  cli: [20, 21, 22],
  full: [24, 20, 16],
  "full, signed": [24, 20, 16],
  unchanged: [0.5, 0.3, 0.4],
  "unchanged, signed": [0.5, 0.7, 0.6],
  "floor of a graft": [6.5, 7, 7.5],
  graft: [10, 6, 8],
  "graft again": [3, 4, 2],
  "graft from the cache": [1.4, 1.3, 1.5],
  "graft from the cache, signed": [1, 0.9, 1.1],
  "grafts from the cache in one job": [1, 1, 1],
};
const requests = { unchanged: 9, "graft from the cache": 24, "graft from the cache, signed": 30 };
/** Images of one job: the last ten are slower by a tenth, and the fiftieth is the slowest. */
const hundred = Array.from({ length: 100 }, (_, index) => ({
  seconds: index >= 90 ? 1.1 : index === 49 ? 1.6 : 1,
  peakBytes: 60e6,
}));

/** Results of a whole run, made up, with `change` applied to each sample. */
function results(change = (sample) => sample) {
  const samples = turnsOf(rows)
    .flatMap(({ leader, followers }) => [leader, ...followers])
    .flatMap((each) =>
      times[each.flow].map((seconds, index) => ({
        case: idOf(each),
        round: index + 1,
        seconds,
        peakBytes: ["pipeline", "cli", "floor of a graft"].includes(each.flow) ? undefined : 80e6 + index,
        each: each.flow === "grafts from the cache in one job" ? hundred : undefined,
        requests: requests[each.flow] ?? 60,
        received: 1e6,
        sent: 2e6,
        load: 0.5,
      })),
    );
  const machine = { cpu: "CPU", cores: 2, memoryBytes: 2 ** 34, kernel: "6.1.2-lab", engine: "28.5.2" };
  const sizes = { sensor: [50e6, 4e6], sources: { 50: [18e6], 400: [190e6] } };
  const lab = { store: "overlay2", machine, sizes, samples: samples.map(change) };
  return { date: "2026-01-02T03:04:05Z", pairs: 3, quick: false, seconds: 600, labs: [lab] };
}

test("The median is in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.equal(median([10, 9, 100]), 10, "compared as numbers");
});

test("A missed goal has the distance to it", () => {
  assert.equal(verdict(0.2, 0.2), "reached");
  assert.equal(verdict(0.25, 0.2), "missed by 25 %");
  assert.equal(verdict(0.2001, 0.2), "missed by 1 %", "never missed by nothing");
  assert.equal(verdict(33, 30), "missed by 10 %");
  assert.equal(verdict(0.5, undefined), "no goal");
});

test("Ratios are those of medians", () => {
  const { comparisons, limits, broken } = evaluate(results(), rows);
  assert.deepEqual(broken, []);
  const found = comparisons
    .filter(({ id }) => id.endsWith("-overlay2"))
    .map(({ id, against, ratio, verdict: text }) => `${id} / ${against.flow} = ${ratio.toFixed(4)}: ${text}`);
  assert.deepEqual(found, [
    "full-overlay2 / pipeline = 0.5000: reached",
    "full-overlay2 / cli = 0.9524: reached",
    "graft-overlay2 / pipeline = 0.2000: no goal",
    "graft-overlay2 / floor of a graft = 1.1429: reached",
    "graft-again-overlay2 / pipeline = 0.0750: reached",
    "graft-signed-overlay2 / pipeline = 0.0250: reached",
    "graft-cached-overlay2 / pipeline = 0.0350: no goal",
    "unchanged-overlay2 / pipeline = 0.0100: reached",
  ]);
  assert.deepEqual(
    limits.map(({ id, what, value, verdict: text }) => `${id} ${what} ${value}: ${text}`),
    [
      "graft-signed-overlay2 HTTP requests 30: reached",
      "graft-cached-overlay2 HTTP requests 24: reached",
      "unchanged-overlay2 HTTP requests 9: reached",
      "graft-signed-containerd HTTP requests 30: reached",
      "graft-cached-containerd HTTP requests 24: reached",
      "unchanged-containerd HTTP requests 9: reached",
      "many seconds, slowest of 100 1.6: missed by 7 %",
      "many seconds, last 10 of 100 against the first 1.1: reached",
      "many memory, last 10 of 100 against the first 1: reached",
      "memory MB of memory, most of all cases 80: reached",
    ],
  );
});

test("Ten requests are more than nine, and one greedy run counts", () => {
  const greedy = results((sample) =>
    sample.case.endsWith("unchanged")
      ? { ...sample, requests: 10, peakBytes: sample.round === 2 ? 150e6 : 1e6 }
      : sample,
  );
  const { limits } = evaluate(greedy, rows);
  const missed = limits.filter(({ verdict: text }) => text !== "reached");
  assert.deepEqual(
    missed.map(({ id, verdict: text }) => `${id}: ${text}`),
    [
      "unchanged-overlay2: missed by 12 %",
      "unchanged-containerd: missed by 12 %",
      "many: missed by 7 %",
      "memory: missed by 25 %",
    ],
  );
});

test("Time may grow with a number of things, and not beyond a cap", () => {
  const numbered = (id) => Number(/(\d+) (?:layers|records)/.exec(id)?.[1] ?? 1);
  const growing = results((sample) => ({ ...sample, seconds: sample.seconds * numbered(sample.case) }));
  const { comparisons } = evaluate(growing, rows);
  const found = comparisons.filter(({ id }) => /^(layers|records)-/.test(id));
  assert.deepEqual(
    found.map(({ id, goal, verdict: text }) => `${id} ≤ ${goal}: ${text}`),
    [
      "layers-60 ≤ 6: reached",
      "layers-120 ≤ 2: reached",
      "records-50 ≤ 50: reached",
      "records-100 ≤ 1.15: missed by 74 %",
    ],
  );
});

test("A case that failed or was not measured is broken", () => {
  const id = idOf({ ...rows[0].case });
  const failed = results((sample) =>
    sample.case === id ? { case: id, round: sample.round, error: "exit code 1" } : sample,
  );
  const { broken, comparisons } = evaluate(failed, rows);
  assert.deepEqual(broken, [...Array(3).fill(`${id}: exit code 1`), `${id}: not measured`]);
  assert.ok(!comparisons.some((each) => each.id === rows[0].id), "and is compared with nothing");
});

test("A wrong image is not measured", () => {
  const falcon = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
  const image = (Entrypoint, diff_ids, architecture = "arm64") => ({
    architecture,
    config: { Entrypoint },
    rootfs: { diff_ids },
  });
  const source = image(["/start"], ["a", "b"]);
  const layers = [{ size: 1 }, { size: 2 }, { size: 52e6 }];
  const faults = (config, of = layers) => faultsOf({ config, layers: of }, source).join("; ");
  assert.equal(faults(image([falcon, "/start"], ["a", "b", "c"])), "");
  assert.equal(faults(image(["/start"], ["a", "b", "c"])), "another entrypoint");
  assert.equal(faults(image([falcon, "/start"], ["a", "b", "c"], "amd64")), "the architecture amd64");
  assert.equal(faults(image([falcon, "/start"], ["b", "a", "c"])), "other layers than the source's");
  assert.equal(
    faults(image([falcon, "/start"], ["a", "b", "c"]), layers.slice(1)),
    "2 layers, where the source has 2",
  );
  assert.equal(
    faults(image([falcon, "/start"], ["a", "b", "c"]), [...layers.slice(0, 2), { size: 1e6 }]),
    "a sensor's layer of 1000000 bytes",
  );
});

test("A fetched layer is detected from every origin", () => {
  const requests = [
    { method: "HEAD", path: "/v2/app/web/blobs/sha256:aa" },
    { method: "GET", path: "/bb?X-Amz-Signature=…" },
    { method: "GET", path: "/v2/app/web/blobs/sha256:cc" },
  ];
  assert.deepEqual(fetched(["sha256:aa", "sha256:bb", "sha256:cc", "sha256:dd"], requests), [
    "sha256:bb",
    "sha256:cc",
  ]);
});

test("Followers come with their leader, and each case once", () => {
  const turns = turnsOf(chosen("graft-again-overlay2"));
  const flows = turns.map(({ leader, followers }) => [leader.flow, ...followers.map(({ flow }) => flow)]);
  assert.deepEqual(flows, [["pipeline"], ["graft", "graft again"]]);
  const all = turnsOf(rows).flatMap(({ leader, followers }) => [leader, ...followers].map(idOf));
  assert.equal(new Set(all).size, all.length);
  const cold = turnsOf(rows).map(({ leader }) => leader);
  const fifty = cold.find((each) => idOf(each) === "overlay2, loopback, 50 MB, graft");
  assert.equal(fifty.rounds, undefined, "all rounds, though many images in one job need one alone");
  const recorded = turnsOf(chosen("records"));
  assert.deepEqual(
    recorded.map(({ leader, followers }) => [leader.flow, followers.length]),
    [["full, signed", 3]],
  );
  assert.throws(() => chosen("grafting"), /no row is called grafting; there are: full-overlay2, /);
});

test("The tables have a cell in every column", () => {
  const evaluated = evaluate(results(), rows);
  for (const table of [goals(evaluated), figures(evaluated)]) {
    for (const cells of table) assert.equal(cells.length, table[0].length, cells.join());
    assert.equal(markdown(table).split("\n").length, table.length + 1);
    assert.equal(aligned(table).split("\n").length, table.length);
  }
});

test("Of the kernel only major and minor version are shown", () => {
  const text = circumstances(evaluate(results(), rows));
  assert.match(text, /Linux 6\.1, /);
});

test("The chart is well-formed, and its bars are to scale", () => {
  const groups = groupsOf(evaluate(results(), rows));
  const svg = chart(groups);
  assertWellFormed(svg);
  assert.equal(groups.length, 3);
  assert.doesNotMatch(svg, /<script|href|on[a-z]+=/);
  const lengths = [...svg.matchAll(/class="(?:own|other)".*? width="([\d.]+)"/g)].map(([, length]) =>
    Number(length),
  );
  const [pipeline, , full] = lengths;
  assert.equal((full / pipeline).toFixed(2), "0.50");
});

/** A small reader of XML: every element is closed in order, and nothing is left bare. */
function assertWellFormed(svg) {
  const open = [];
  for (const [, closing, name, rest, text] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>([^<]*)/g)) {
    assert.doesNotMatch(text, /&(?!(amp|lt|gt|quot);)/);
    if (closing) assert.equal(open.pop(), name);
    else if (!rest.endsWith("/")) open.push(name);
  }
  assert.deepEqual(open, []);
}

test("Only the block of a document is replaced", () => {
  const document = "a\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nb\n";
  assert.equal(between(document, "x", "new"), document.replace("old", "new"));
  assert.throws(() => between(document, "y", "new"), /the markers of bench: y are missing/);
});

test("The documents have a place for the measurements", () => {
  const text = ["README.md", "docs/performance.md"]
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join();
  for (const name of ["summary", "chart", "goals", "figures", "circumstances"])
    assert.ok(between(text, name, "").length > 0, name);
  const shown = summary(evaluate(results(), rows));
  assert.match(
    shown,
    /takes 40\.0 s .* takes 20\.0 s, or 8\.0 s with .* takes 1\.0 s from .* image 0\.40 s\./,
  );
});

test("The scripts are valid for bash", () => {
  for (const name of ["pipeline-stage.sh", "docker-cli.sh", "graft-floor.sh"])
    execFileSync("bash", ["-n", join(root, "tests/bench", name)]);
});
