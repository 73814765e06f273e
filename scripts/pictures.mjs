// `npm run pictures` draws the pictures of the Marketplace page and the README from templates, task.json and a recorded run.
// `-- --record` first records a run of the demo in the lab, for which `npm run demo` must have succeeded once.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installPackages, setupModules } from "./setup.mjs";
import { main, root, run } from "./tools.mjs";

/** Size of a screenshot on the Marketplace. */
const [width, height] = [1366, 768];

/** Programs and fonts, each with a way to see it and the Debian packages that bring it. */
const programs = [
  { probe: ["chromium", ["--version"]], packages: ["chromium"] },
  { probe: ["pngquant", ["--version"]], packages: ["pngquant"] },
  { probe: ["zopflipng", ["--help"]], packages: ["zopfli"] },
  { probe: ["sh", ["-c", "fc-list | grep -q Inter"]], packages: ["fonts-inter"] },
  { probe: ["sh", ["-c", "fc-list | grep -q DejaVuSansMono"]], packages: ["fonts-dejavu-core"] },
];

/** Runs the demo in the lab, which writes its log and its summary to a folder. */
async function record(folder) {
  const lab = ["--store", "overlay2", "--", "node_modules/node24/bin/node", "tests/task/demo.mjs"];
  const env = { ...process.env, FALCON_TASK_DIR: join(root, "dist/dev/task"), DEMO_RECORD: folder };
  await run("tests/lab/lab.sh", lab, { env });
}

/** Draws one page and stores it with few colours, since pictures are part of the package. */
async function draw(name, html, folder) {
  const page = join(folder, `${name}.html`);
  const drawn = join(folder, `${name}.png`);
  const reduced = join(folder, `${name}-reduced.png`);
  writeFileSync(page, html);
  await run(
    "chromium",
    [
      "--headless=new",
      // root may not use the sandbox; the pages are our own, and load nothing.
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      `--user-data-dir=${join(folder, "profile")}`,
      `--window-size=${width},${height}`,
      `--screenshot=${drawn}`,
      pathToFileURL(page).href,
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  await run("pngquant", ["--speed", "1", "--strip", "--output", reduced, "48", drawn]);
  const path = join(root, "images", `${name}.png`);
  await run("zopflipng", ["-y", reduced, path], { stdio: ["ignore", "ignore", "inherit"] });
  console.log(`images/${name}.png: ${(statSync(path).size / 1e3).toFixed(0)} kB`);
}

await main(async () => {
  await setupModules();
  await installPackages(programs);
  const { digests, drawnFrom, pages, recordFolder } = await import("./pictures/pages.mjs");
  if (process.argv.includes("--record")) await record(recordFolder);
  const folder = mkdtempSync(join(tmpdir(), "falcon-pictures-"));
  try {
    for (const [name, html] of Object.entries(pages)) await draw(name, html(), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(drawnFrom, `${JSON.stringify(digests(), null, 2)}\n`);
});
