// The pages of which pictures are taken: each a function that returns a whole HTML document.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { marked } from "marked";
import { root } from "../tools.mjs";
import { formPanel, stepAsYaml } from "./form.mjs";
import { html, page } from "./html.mjs";
import { logLines } from "./log.mjs";

/** The recorded run of the demo: its log and its summary. */
export const recordFolder = join(root, "scripts/pictures/record");
const record = (name) => readFileSync(join(recordFolder, name), "utf8");

/** The log, as the run's page shows it: dark, with folded groups. */
function log() {
  const text = record("log.txt");
  const [, seconds] = /^ {2}Time +(.+)$/m.exec(text);
  return page(
    "log",
    html`<header><i class="done"></i><b>Patch web with Falcon</b><span>${seconds}</span></header>
      <main><ol>${logLines(text)}</ol></main>`,
  );
}

/** The summary, as the run's page shows it. */
function summary() {
  const [, title, body] = /^# (.*)\n\n([\s\S]*)$/.exec(record("summary.md"));
  return page(
    "summary",
    html`<header><b>Run 42</b><span>web</span></header>
      <nav><span>Summary</span><span class="here">Extensions</span></nav>
      <section><h1>${title}</h1>${{ raw: marked.parse(body) }}</section>`,
  );
}

function form() {
  return page(
    "form",
    html`<section class="editor"><header>azure-pipelines.yml</header><pre>${stepAsYaml()}</pre></section>
      ${formPanel()}`,
  );
}

/** The chart of the benchmark, with what its reader must know. */
function chart() {
  const svg = readFileSync(join(root, "docs/performance.svg"), "utf8");
  const note =
    "npm run bench, on one machine. falconutil is a stand-in with the published size: trust the ratios.";
  return page("chart", html`${{ raw: svg }}<p>${note}</p>`);
}

export const pages = { log, summary, form, chart };

/** The digests of the pages as they were when the pictures were drawn. */
export const drawnFrom = join(root, "images/drawn-from.json");

/** The digest of each page, which changes with everything that its picture shows. */
export function digests() {
  const digest = (text) => createHash("sha256").update(text).digest("hex");
  return Object.fromEntries(Object.entries(pages).map(([name, draw]) => [name, digest(draw())]));
}
