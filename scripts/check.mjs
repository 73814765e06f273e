// `npm run check`: every check of the sources that does not run them.
import { setup } from "./setup.mjs";
import { CommandFailed, main, root, run } from "./tools.mjs";

const bin = `${root}/node_modules/.bin`;
const checks = [
  ["cargo", "fmt", "--all", "--check"],
  ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
  [`${bin}/tsc`, "--noEmit"],
  [`${bin}/biome`, "ci", "--colors=off"],
  [process.execPath, "scripts/words.mjs"],
  [process.execPath, "scripts/dependencies.mjs"],
];

await main(async () => {
  await setup();
  let failed = 0;
  for (const [command, ...args] of checks) {
    try {
      await run(command, args);
    } catch (error) {
      console.error(error.message);
      failed += 1;
    }
  }
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  if (failed > 0) throw new CommandFailed("Some checks failed");
});
