// A second Distribution registry over the lab's images, read-only, that accepts the tokens of the issuer beside it.
// https://distribution.github.io/distribution/spec/auth/token/ and .../auth/jwt/
import { execFileSync, spawn } from "node:child_process";
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SERVICE = "lab-token-registry";
const ISSUER = "lab-issuer";

/** Starts the registry and its issuer; `users` maps a user to a password. */
export async function startTokenRegistry({ users, port = 5003 }) {
  const folder = mkdtempSync(join(tmpdir(), "falcon-token-registry-"));
  const signer = certificate(folder);
  const asked = [];
  const tokens = [];
  const issuer = createServer((request, response) => {
    const query = new URL(request.url, "http://issuer").searchParams;
    const [user, password] = basic(request.headers.authorization);
    asked.push({
      account: query.get("account"),
      scope: query.get("scope"),
      service: query.get("service"),
      user,
      password,
    });
    if (user === undefined || users[user] !== password) {
      response.writeHead(401, { "content-type": "application/json" });
      return response.end(
        JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "incorrect username or password" }] }),
      );
    }
    const token = issue(signer, user, query.getAll("scope"));
    tokens.push(token);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, expires_in: 300 }));
  });
  await new Promise((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  writeFileSync(
    join(folder, "registry.yml"),
    `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "${process.env.LAB_DIR}/registry/root"}
  maintenance: {readonly: {enabled: true}, uploadpurging: {enabled: false}}
http: {addr: "127.0.0.1:${port}"}
auth:
  token: {realm: "http://127.0.0.1:${issuer.address().port}/token", service: ${SERVICE}, issuer: ${ISSUER}, rootcertbundle: "${folder}/issuer.crt"}
`,
  );
  const program = join(process.env.LAB_CACHE, "registry/usr/bin/docker-registry");
  const registry = spawn(program, ["serve", join(folder, "registry.yml")], { stdio: "ignore" });
  await answering(`http://127.0.0.1:${port}/v2/`);
  return {
    host: `127.0.0.1:${port}`,
    /** Requests to the issuer, passwords included, to be compared. */
    asked,
    /** The tokens that it issued. */
    tokens,
    async close() {
      registry.kill();
      await new Promise((resolve) => issuer.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

function basic(header = "") {
  const [scheme, value = ""] = header.split(" ");
  return scheme === "Basic" ? Buffer.from(value, "base64").toString().split(/:(.*)/s) : [];
}

function certificate(folder) {
  const [key, crt] = [join(folder, "issuer.key"), join(folder, "issuer.crt")];
  const kind = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=lab issuer",
  ];
  execFileSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", crt], { stdio: "ignore" });
  const der = readFileSync(crt, "utf8").replaceAll(/-----[A-Z ]+-----|\s/g, "");
  return { key: createPrivateKey(readFileSync(key)), der };
}

function issue({ key, der }, user, scopes) {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.flatMap((scope) => {
    const [, type, name, actions] = /^(\w+):(.+):([\w,]+)$/.exec(scope) ?? [];
    return type ? [{ type, name, actions: actions.split(",").filter((action) => action === "pull") }] : [];
  });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = part({ typ: "JWT", alg: "ES256", x5c: [der] });
  const claims = part({
    iss: ISSUER,
    sub: user,
    aud: SERVICE,
    exp: now + 300,
    nbf: now - 5,
    iat: now,
    jti: randomUUID(),
    access,
  });
  const signature = sign("sha256", Buffer.from(`${header}.${claims}`), { key, dsaEncoding: "ieee-p1363" });
  return `${header}.${claims}.${signature.toString("base64url")}`;
}

async function answering(url) {
  for (let tries = 0; tries < 100; tries += 1) {
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
