// The demo of signed records inside the lab: a step signs, cosign and the gate verify, and a forged record is refused.
import { generateKeyPairSync } from "node:crypto";
import { Job } from "./agent.mjs";
import { follow, heading, printYaml } from "./demo-parts.mjs";
import { cosign, crane, inputs, keys, oras, registry } from "./lab.mjs";
import { artifact, attach, bundle, cosignVerifies, kmsKey, payload, referrers } from "./records.mjs";

const alias = "alias/falcon-records";
const patch = {
  ...inputs(),
  skipUnchanged: "true",
  targetImage: `${registry}/app/web:1.4.2-falcon`,
  signingKey: alias,
};

/** Runs a step, prints it with its log, and throws if it does not end as it must. */
async function show(job, yaml, result) {
  printYaml(yaml);
  console.log();
  const ended = await follow(job.start(yaml));
  if (ended.result !== result) throw new Error(`the step ended as ${ended.result}`);
  return ended;
}

/** Copies the image without its record, and puts one beside it that names a newer sensor and is signed by another key. */
async function forge(reference, record) {
  const copy = `${registry}/app/other`;
  const digest = reference.split("@")[1];
  crane("copy", reference, `${copy}:forged`);
  const { manifest, content } = await artifact(reference, record.digest);
  const statement = payload(content);
  statement.predicate.buildDefinition.externalParameters.sensorVersion = "7.99.0-1";
  const forged = bundle(statement, generateKeyPairSync("ec", { namedCurve: "P-256" }));
  await attach(`${copy}@${digest}`, forged, { annotations: manifest.annotations });
  return `${copy}@${digest}`;
}

const job = new Job();
try {
  heading("The key, in KMS");
  const { publicKey } = await kmsKey({ alias });
  console.log(`$ cosign public-key --key awskms:///${alias}`);
  console.log(cosign(["public-key", "--key", `awskms:///${alias}`]));
  heading("The step that patches and signs");
  const { outputs } = await show(job, patch, "Succeeded");
  heading("What is beside the image");
  console.log(`$ oras discover ${outputs.imageReference}`);
  console.log(oras("discover", outputs.imageReference));
  heading("A colleague verifies it, with cosign and the public key");
  const options = "--key falcon.pem --insecure-ignore-tlog --type slsaprovenance1";
  console.log(`$ cosign verify-attestation ${options} ${outputs.imageReference}`);
  const verified = JSON.parse(
    Buffer.from(cosignVerifies(outputs.imageReference, publicKey).payload, "base64"),
  );
  console.log(JSON.stringify(verified, undefined, 2));
  heading("The gate verifies it, with the public key");
  const verify = { action: "verify", ...keys("ADMIN"), trustedKeys: publicKey, minimumSensorVersion: "7.39" };
  await show(job, { ...verify, targetImage: outputs.imageReference }, "Succeeded");
  heading("The same image, with a record that someone else has signed");
  const [record] = await referrers(outputs.imageReference);
  const forged = await forge(outputs.imageReference, record);
  await show(job, { ...verify, targetImage: forged }, "Failed");
  heading("And cosign about it");
  const refusal = await Promise.resolve()
    .then(() => cosignVerifies(forged, publicKey))
    .then(
      () => undefined,
      ({ stderr }) => String(stderr).trim().split("\n").at(-1),
    );
  if (refusal === undefined) throw new Error("cosign verified the forged record");
  console.log(refusal);
  console.log(
    "\n(falconutil and KMS are stand-ins with the documented behaviour; cosign, oras, engine and registry are real)",
  );
  console.log("\nThe demo succeeded");
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await job.post();
  job.end();
}
