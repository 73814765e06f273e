import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ending } from "../src/addon.ts";
import { History } from "../src/history.ts";
import { inert, literal, sentence } from "../src/markdown.ts";
import { Masks } from "../src/secrets.ts";
import { summary, summaryName } from "../src/summary.ts";
import { deployment, digest, failure, outcome, verified } from "./samples.ts";

const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

function history(): History {
  const events = new History();
  events.handle({ type: "stepStarted", id: 1, title: "Look" });
  events.handle({ type: "note", id: 1, message: "Target: its source has changed", isNews: true });
  events.handle({ type: "stepFinished", id: 1, status: "succeeded", durationMs: 400 });
  events.handle({
    type: "planned",
    stages: [
      { steps: ["Patch natively"], onlyIf: "falconutil knows `--platform`" },
      { steps: ["Patch emulated"], onlyIf: "it does not" },
    ],
  });
  events.handle({ type: "stepStarted", id: 2, title: "Patch natively" });
  events.handle({ type: "stepFinished", id: 2, status: "succeeded", durationMs: 61_000 });
  return events;
}

const rows = [
  "| Fact | Value |",
  "| --- | --- |",
  `| Image | \`${registry}/app/web@${digest("a")}\` |`,
  `| Tag | \`${registry}/app/web:1.4.2-falcon\` |`,
  `| Source | \`${registry}/app/web:1.4.2\` |`,
  `| Source digest | \`${digest("b")}\` |`,
  `| Sensor | \`${registry}/containersensor:7.39.0-7802\` |`,
  `| Sensor digest | \`${digest("c")}\` |`,
  "| Sensor version | `7.39.0` |",
  "| Size | `45.2 MB → 97.4 MB (+52.2 MB)` |",
  "| Time | `1 min 12 s` |",
  "",
  `Next: set the image of the ECS task definition to \`${registry}/app/web@${digest("a")}\``,
];
const found = ["", "**Findings**", "", "- Target: its source has changed"];
const times = ["", "| Step | Time |", "| --- | --- |", "| Look | 0.4 s |", "| Patch natively | 1 min 1 s |"];
const skipped = ["", "**Skipped**", "", "- Patch emulated: only if it does not"];

function lines(ending: Ending, events = history()): string[] | undefined {
  return summary(ending, events, 72_400)?.trimEnd().split("\n");
}

test("The summary of a patched image has digests, sizes, times and skipped steps", () => {
  assert.deepEqual(lines({ type: "done", outcome: outcome() }), [
    "**Patched and pushed**",
    "",
    ...rows,
    "",
    "**Changed**",
    "",
    `- pushed \`${registry}/app/web:1.4.2-falcon\` (${digest("a")})`,
    ...found,
    ...skipped,
    ...times,
  ]);
});

test("The summary of an unchanged image has the reason", () => {
  const text = lines({ type: "done", outcome: outcome({ changed: false, effects: [] }) });
  assert.deepEqual(text, [
    "**Nothing to patch: the target is up to date**",
    "",
    ...rows,
    ...found,
    ...skipped,
    ...times,
  ]);
});

test("The summary of a plan lists its steps and conditions", () => {
  const stages = [{ steps: ["Pull", "Probe"] }, { steps: ["Patch"], onlyIf: "it runs" }];
  const text = lines({ type: "planned", stages, outcome: outcome() }, new History()) ?? [];
  assert.equal(text[0], "**Plan: this is what patching would do**");
  assert.deepEqual(text.slice(-7), [
    "**Steps**",
    "",
    "- Pull",
    "- Probe",
    "- Patch (if it runs)",
    "",
    "Nothing was changed",
  ]);
});

test("The summary of a verified image has its record", () => {
  const record = {
    sensorDigest: digest("c"),
    runUrl: "https://dev.azure.com/contoso/web/_build/results?buildId=42",
  };
  const text = lines({ type: "verified", image: verified({ record }) }, new History()) ?? [];
  assert.equal(text[0], "**Verified: the image is patched**");
  assert.ok(text.includes(`| Recorded sensor | \`${digest("c")}\` |`), text.join("\n"));
});

test("The summary of a deployment has its facts and its changes", () => {
  const text = lines({ type: "deployed", deployment: deployment() }, new History()) ?? [];
  assert.equal(text[0], "**Deployed to web**");
  assert.ok(text.includes("| Deployment | `ecs-svc/1234567890123456789` |"), text.join("\n"));
  assert.ok(text.includes("**Changed**"));
  const stages = [{ steps: ["Update the ECS service web"] }];
  const plan = lines(
    { type: "deploymentPlanned", stages, deployment: deployment({ result: "planned" }) },
    new History(),
  );
  assert.equal(plan?.at(-1), "Nothing was changed");
});

test("The summary of a failure has the hint and the effects", () => {
  const effects = ["created the repository `app/web`"];
  assert.deepEqual(lines({ type: "failed", failure: failure({ effects }) }, new History()), [
    "**Failed: Cannot push `app/web:1.4.2-falcon`** (`ECR_TAG_IMMUTABLE`)",
    "",
    "**Why**",
    "",
    "- tag `1.4.2-falcon` already exists",
    "",
    "What to do: Push a new tag",
    "",
    "**Already done**",
    "",
    "- created the repository `app/web`",
    "",
    "More: `ECR_TAG_IMMUTABLE` in `docs/troubleshooting.md`",
  ]);
});

test("A cancelled step has no summary", () => {
  assert.equal(summary({ type: "cancelled", effects: [], cleanup: [] }, new History(), 0), undefined);
});

test("Foreign text has no meaning in Markdown, in HTML or to the agent", () => {
  assert.equal(literal("a|b"), "a&#124;b");
  assert.equal(literal("`x`"), "&#96;x&#96;");
  assert.equal(sentence("<img src=x>"), "&#60;img src&#61;x&#62;");
  assert.equal(sentence("[a](b) `c|d` e"), "&#91;a&#93;(b) c&#124;d e");
  assert.equal(sentence("one ` alone"), "one &#96; alone");
  assert.equal(
    sentence("see http://x.example, www.x.example"),
    "see http&#58;//x.example, www&#46;x.example",
  );
  assert.doesNotMatch(sentence("##vso[task.complete result=Failed]\nx"), /##vso|\n|\[/);
});

test("A file hides the texts that the agent masks in the log", () => {
  const masks = new Masks(() => undefined);
  masks.add("0123456789ABCDEF");
  assert.equal(masks.hide("cid 0123456789ABCDEF."), "cid ***.");
  masks.add("wJalr+XUtn=FEMI_K7");
  assert.equal(masks.hide(sentence("key wJalr+XUtn=FEMI_K7!"), inert), "key ***&#33;");
  assert.equal(masks.hide(sentence("key `wJalr+XUtn=FEMI_K7`"), inert), "key `***`");
});

test("The summary's title names the target and is a valid file name", () => {
  assert.equal(summaryName(`${registry}/app/web:1.4.2-falcon`), "Falcon ARM64 patch app web 1.4.2-falcon.md");
  assert.equal(summaryName("app/web:1"), "Falcon ARM64 patch app web 1.md");
  assert.equal(summaryName("../../x\n;]"), "Falcon ARM64 patch .. x.md");
  assert.equal(summaryName("team/app.v2/web:1"), "Falcon ARM64 patch team app.v2 web 1.md");
  assert.equal(summaryName(""), "Falcon ARM64 patch.md");
});

test("The summary's title of a long name is found at once", () => {
  const begun = performance.now();
  summaryName(":".repeat(1_000_000));
  assert.ok(performance.now() - begun < 1_000, "the time grows with the square of the length");
});
