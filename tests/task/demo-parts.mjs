// The parts that demos share: titles, the step as YAML, its log as it grows, and its record for pictures.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Prints the title of a part of a demo. */
export function heading(text) {
  console.log(`\n\u2500\u2500\u2500\u2500 ${text} ${"\u2500".repeat(Math.max(0, 90 - text.length))}`);
}

/** Prints the log as it grows, without the lines that only `System.Debug` shows. */
export async function follow(step) {
  let printed = 0;
  const print = () => {
    for (const line of step.log.shown.slice(printed)) if (!line.startsWith("##[debug]")) console.log(line);
    printed = step.log.shown.length;
  };
  const timer = setInterval(print, 200);
  const ended = await step.done;
  clearInterval(timer);
  print();
  return ended;
}

/** Prints a step as its pipeline has it. */
export function printYaml(inputs) {
  const secret = { falconCid: "$(FALCON_CID)", awsSecretAccessKey: "$(AWS_SECRET_ACCESS_KEY)" };
  console.log("- task: FalconArm64Patch@1\n  name: falcon\n  inputs:");
  for (const [name, value] of Object.entries(inputs)) {
    const shown = secret[name] ?? String(value);
    const lines = shown.trimEnd().split("\n");
    console.log(
      lines.length > 1 ? `    ${name}: |\n      ${lines.join("\n      ")}` : `    ${name}: ${shown}`,
    );
  }
}

/**
 * Writes a step's log and summary to the folder of `DEMO_RECORD`, from which `npm run pictures` draws. Folders of this
 * machine get the names that they have on a hosted agent; nothing else is changed.
 */
export function record(ended, job) {
  const folder = process.env.DEMO_RECORD;
  if (!folder) return;
  const publicly = (text) =>
    text
      .replaceAll(job.folders.work, "/home/vsts/work")
      .replaceAll(/\/\S+(?=\/qemu-aarch64-static)/g, "/usr/bin");
  const log = ended.shown.filter((line) => !line.startsWith("##[debug]")).join("\n");
  const [{ title, text }] = ended.summaries;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "log.txt"), publicly(`${log}\n`));
  writeFileSync(join(folder, "summary.md"), publicly(`# ${title}\n\n${text}`));
}
