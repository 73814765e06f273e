// ecr-front.mjs CERTIFICATE_FOLDER ENVIRONMENT_FILE: ECR's behaviour in front of Distribution, and AWS's in front of moto.
// Ports are fixed, because a lab's loopback is its own. The environment file appears when everything answers.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Aws } from "./front/aws.mjs";
import { awsFront, Tokens } from "./front/aws-front.mjs";
import { control } from "./front/control.mjs";
import { Ecr } from "./front/ecr.mjs";
import { Faults, RequestLog } from "./front/faults.mjs";
import { Kms } from "./front/kms.mjs";

const PORTS = { distribution: 5001, moto: 5555, aws: 4566, control: 8081, tls: 443 };
/** AWS's API under its own names, which share the port with ECR's registries. */
const API_HOST = /^(api\.ecr|sts|ecs|kms)\.([a-z0-9-]+\.)?amazonaws\.com$/;
const [certificates, environmentFile] = process.argv.slice(2);
const listen = (server, port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

async function answering(url) {
  for (let tries = 0; tries < 600; tries += 1) {
    if (
      await fetch(url).then(
        (response) => response.arrayBuffer().then(() => true),
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`${url} does not answer`);
}

const log = new RequestLog();
const faults = new Faults();
const tokens = new Tokens();
const aws = new Aws(`http://127.0.0.1:${PORTS.moto}`);
const kms = new Kms(join(dirname(environmentFile), "kms"));
const ecr = new Ecr({ aws, tokens, port: PORTS.distribution, log, faults });
const tls = {
  key: readFileSync(join(certificates, "server.key")),
  cert: readFileSync(join(certificates, "server.crt")),
};

// An upload of any length may take its time, and a client may keep a connection as long as it would with ECR.
const serveAws = awsFront({ port: PORTS.moto, aws, kms, tokens, log, faults });
const serve = (request, response) =>
  (API_HOST.test(request.headers.host) ? serveAws : ecr.serve)(request, response);
await listen(createTlsServer({ ...tls, requestTimeout: 0, keepAliveTimeout: 60_000 }, serve), PORTS.tls);
await listen(createServer(serveAws), PORTS.aws);
await listen(createServer(control({ aws, ecr, kms, tokens, faults, log })), PORTS.control);
await Promise.all([
  answering(`http://127.0.0.1:${PORTS.moto}/moto-api/`),
  answering(`http://127.0.0.1:${PORTS.distribution}/v2/`),
]);

const repositories = JSON.parse(readFileSync(new URL("repositories.json", import.meta.url)));
const environment = {
  ...(await aws.setUp(repositories)),
  AWS_ENDPOINT_URL: `http://127.0.0.1:${PORTS.aws}`,
  LAB_FRONT: `http://127.0.0.1:${PORTS.control}`,
};
writeFileSync(
  `${environmentFile}.new`,
  Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join(""),
);
renameSync(`${environmentFile}.new`, environmentFile);
