// `npm run fuzz -- 60` has each test of a parser try changed samples for so many seconds; `npm test` tries a few hundred each.
import { setup } from "./setup.mjs";
import { CommandFailed, main, run } from "./tools.mjs";

await main(async () => {
  const seconds = process.argv[2] ?? "60";
  if (!/^[1-9]\d*$/.test(seconds))
    throw new CommandFailed(`\`${seconds}\` is not a number of seconds; example: npm run fuzz -- 60`);
  await setup();
  const env = { ...process.env, FALCON_FUZZ_SECONDS: seconds };
  await run(
    process.execPath,
    ["--import", "tsx", "--test", "--test-reporter=spec", "task/test/fuzz.test.ts"],
    { env },
  );
  await run("cargo", ["test", "--locked", "--package", "falcon-patch-core", "--lib", "fuzz::"], { env });
});
