// Proxies and private certificate authorities of the task's requests.
//
// The proxy's connections come from an address of their own, and the front logs the address of each request. So a request
// past the proxy is seen at the other end, whatever the proxy's own list has.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { jobConnection, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { proxyAddress, startProxy } from "./forward-proxy.mjs";
import { inJob } from "./job.mjs";
import { front, inputs, needsLab, registry, registryPassword } from "./lab.mjs";

const user = "falcon-build";
const password = "p@ss/w%rd:1";
const credentials = `${user}:${password}`;
const encoded = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
const layers = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com";
const everyHost = [registry, layers, "api.ecr.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"].sort();
/** The engine moves images by settings of its own. */
const ofEngine = /^(docker|containerd|buildkit)/i;
/** AWS under its own names, as on an agent. */
const real = { AWS_ENDPOINT_URL: undefined };

/** Runs one step with a proxy nearby; returns the step, the hosts that passed, and the origin of each request. */
async function steps(
  use,
  { proxy: options = { credentials }, variables, secrets, endpoints, env, changes } = {},
) {
  const proxy = await startProxy(options);
  const given = inputs({ action: "plan", targetImage: `${registry}/app/target:network`, ...changes });
  const of = (part) => (typeof part === "function" ? part(proxy.host) : part);
  try {
    const job = { variables: of(variables), secrets, endpoints, env: { ...real, ...of(env) } };
    await inJob(async (job) => {
      await front("DELETE", "/requests");
      const step = await job.run(given);
      const requests = await front("GET", "/requests");
      const own = requests.filter(({ userAgent }) => !ofEngine.test(userAgent));
      assertNoLeak(step, [password, encoded, credentials, given.awsSecretAccessKey, registryPassword]);
      await use(step, { ...proxy, hosts: [...new Set(proxy.passed)].sort(), own });
    }, job);
  } finally {
    await proxy.close();
  }
}

function assertAllProxied(step, { hosts, own, host }) {
  assertSucceeded(step);
  assert.deepEqual(hosts, everyHost);
  assert.ok(own.length > 0);
  const around = own.filter(({ from }) => from !== proxyAddress);
  assert.deepEqual(around, [], "requests that went around the proxy");
  assert.match(story(step), new RegExp(`^Requests use the proxy \`http://${host}\`, from `, "m"));
}

function assertNoneProxied(step, { hosts, own }) {
  assertSucceeded(step);
  assert.deepEqual(hosts, []);
  assert.deepEqual([...new Set(own.map(({ from }) => from))], ["127.0.0.1"]);
}

test("Every request of a run uses the proxy", needsLab, async () => {
  const env = (host) => ({ HTTPS_PROXY: `http://${encoded}@${host}` });
  await steps(assertAllProxied, { env, changes: { action: "patch" } });
});

const ways = [
  ["a variable in lower case", { env: (host) => ({ https_proxy: `http://${encoded}@${host}` }) }],
  ["an address without scheme", { env: (host) => ({ HTTPS_PROXY: `${encoded}@${host}` }) }],
  [
    "a variable in lower case beside an empty one",
    { env: (host) => ({ HTTPS_PROXY: "", https_proxy: `http://${encoded}@${host}` }) },
  ],
  [
    "the agent's configuration",
    {
      variables: (host) => ({ "Agent.ProxyUrl": `http://${host}`, "Agent.ProxyUsername": user }),
      secrets: { "Agent.ProxyPassword": password },
    },
  ],
  [
    "a variable, before the agent's configuration",
    {
      env: (host) => ({ HTTPS_PROXY: `http://${encoded}@${host}` }),
      variables: { "Agent.ProxyUrl": "http://127.0.0.1:9" },
    },
  ],
];

for (const [name, options] of ways)
  test(`The proxy is found by ${name}`, needsLab, () => steps(assertAllProxied, options));

const exceptions = [
  ["NO_PROXY", { env: (host) => ({ HTTPS_PROXY: `http://${host}`, NO_PROXY: "*.amazonaws.com" }) }],
  [
    "no_proxy in lower case",
    { env: (host) => ({ HTTPS_PROXY: `http://${host}`, no_proxy: ".amazonaws.com" }) },
  ],
  [
    "the agent's bypass list",
    {
      variables: (host) => ({
        "Agent.ProxyUrl": `http://${host}`,
        "Agent.ProxyBypassList": JSON.stringify(["github\\.com", ".*\\.amazonaws\\.com"]),
      }),
    },
  ],
];

for (const [name, options] of exceptions)
  test(`Hosts of ${name} do not use the proxy`, needsLab, () => steps(assertNoneProxied, options));

/** A host that only the proxy knows, so that every request to it used the proxy. It refuses everything. */
async function hidden(use) {
  const asked = [];
  const [key, cert] = ["server.key", "server.crt"].map((file) =>
    readFileSync(join(process.env.LAB_DIR, "parts/certificate", file)),
  );
  const server = createServer({ key, cert }, ({ url }, response) => {
    asked.push(url.split("?")[0]);
    response.writeHead(403, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const host = "hidden.eu-west-1.amazonaws.com";
    await use({ host, asked, names: { [host]: server.address().port } });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("CrowdStrike is reached through the proxy", needsLab, () =>
  hidden(async ({ host, asked, names }) => {
    const client = { falconClientId: "4fd0e0b4c1e04c7a", falconClientSecret: "c1ient-s3cret+/=" };
    const check = (step, { hosts }) => {
      assert.equal(step.result, "Failed");
      assert.ok(hosts.includes(host));
      assert.deepEqual([...new Set(asked)], ["/oauth2/token"]);
      assertNoLeak(step, [client.falconClientSecret]);
    };
    const changes = {
      ...client,
      sensorSource: "crowdstrike",
      sensorImage: "",
      falconApiUrl: `https://${host}`,
    };
    const env = (proxy) => ({ HTTPS_PROXY: `http://${encoded}@${proxy}` });
    await steps(check, { proxy: { credentials, names }, env, changes });
  }),
);

test("OIDC tokens are requested through the proxy", needsLab, () =>
  hidden(async ({ host, asked, names }) => {
    const id = "5f0c8f3e-6a51-4a0e-9d0c-0d9f5f6a7b8c";
    const parameters = { assumeRoleArn: process.env.LAB_ROLE_ARN, useOIDC: "true" };
    const endpoints = {
      [id]: { parameters },
      SYSTEMVSSCONNECTION: { ...jobConnection, url: `https://${host}/contoso/` },
    };
    const check = (step, { hosts }) => {
      assert.equal(step.result, "Failed");
      assert.ok(hosts.includes(host));
      assert.deepEqual([...new Set(asked)], ["/contoso/oidctoken"]);
      assertNoLeak(step, [jobConnection.parameters.AccessToken]);
    };
    const changes = { awsConnection: id, awsAccessKeyId: "", awsSecretAccessKey: "" };
    const variables = { "System.OidcRequestUri": `https://${host}/contoso/oidctoken` };
    const env = (proxy) => ({ HTTPS_PROXY: `http://${encoded}@${proxy}` });
    await steps(check, { proxy: { credentials, names }, endpoints, variables, env, changes });
  }),
);

test("Addresses on this machine never use the proxy", needsLab, async () => {
  const { AWS_ENDPOINT_URL } = process.env;
  const env = (host) => ({ AWS_ENDPOINT_URL, HTTP_PROXY: `http://${host}`, HTTPS_PROXY: `http://${host}` });
  const check = (step, { hosts }) => {
    assertSucceeded(step);
    assert.deepEqual(hosts, [registry, layers].sort());
  };
  await steps(check, { proxy: {}, env });
});

test("A bypass that NO_PROXY cannot express is reported", needsLab, async () => {
  const variables = (host) => ({
    "Agent.ProxyUrl": `http://${host}`,
    "Agent.ProxyBypassList": '["build(1|2)\\\\.example"]',
  });
  const check = (step, proxy) => {
    assertAllProxied(step, proxy);
    assert.match(story(step), /`build\(1\|2\)\\\.example` cannot be expressed in `NO_PROXY`/);
  };
  await steps(check, { proxy: {}, variables });
});

test("A proxy that refuses is reported", needsLab, async () => {
  const check = (step, { host, refused }) => {
    assertFailed(step, "AWS_NOT_REACHABLE");
    assert.ok(refused.length > 0);
    assert.match(story(step), /proxy authorization required/);
    assert.match(story(step), new RegExp(`hint: Requests to .* take the proxy \`http://${host}\``));
  };
  await steps(check, { env: (host) => ({ HTTPS_PROXY: `http://${host}` }) });
});

test("An unreachable proxy is reported", needsLab, async () => {
  const check = (step) => {
    assertFailed(step, "AWS_NOT_REACHABLE");
    assert.match(story(step), /hint: Requests to .* take the proxy `http:\/\/127\.0\.0\.2:9`.*`HTTPS_PROXY`/);
  };
  await steps(check, { env: { HTTPS_PROXY: "http://127.0.0.2:9" } });
});

const untold = { SSL_CERT_FILE: undefined };

test("The agent's certificate authority is trusted too", needsLab, async () => {
  const variables = { "Agent.CAInfo": process.env.SSL_CERT_FILE };
  await steps(assertNoneProxied, { variables, env: untold });
});

test("The variable wins over the agent's certificate authority", needsLab, async () => {
  await steps(assertNoneProxied, { variables: { "Agent.CAInfo": "/nowhere/ca.pem" } });
});

test("An untrusted certificate authority is reported", needsLab, async () => {
  const check = (step) => {
    assertFailed(step, "AWS_NOT_REACHABLE");
    assert.match(story(step), /hint: .*`SSL_CERT_FILE`/);
  };
  await steps(check, { env: untold });
  const { AWS_ENDPOINT_URL } = process.env;
  const ofRegistry = (step) => {
    assertFailed(step, "REGISTRY_NOT_REACHABLE");
    assert.match(story(step), /hint: .*`SSL_CERT_FILE`/);
  };
  await steps(ofRegistry, { env: { ...untold, AWS_ENDPOINT_URL } });
});

test("An unreadable certificate authority is named", needsLab, async () => {
  const check = (step) => {
    assertFailed(step, "AWS_NOT_REACHABLE");
    assert.match(story(step), /`\/nowhere\/ca\.pem` cannot be read/);
  };
  await steps(check, { variables: { "Agent.CAInfo": "/nowhere/ca.pem" }, env: untold });
});
