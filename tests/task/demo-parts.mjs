// The parts that demos share: titles, the step as YAML, and its log as it grows.

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
