import assert from "node:assert/strict";
import { test } from "node:test";
import { noProxyRule, prepareNetwork } from "../src/network.ts";
import { Masks } from "../src/secrets.ts";

const local = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";

function prepare(env: NodeJS.ProcessEnv): { env: NodeJS.ProcessEnv; notes: string[]; masked: string } {
  const lines: string[] = [];
  const notes = prepareNetwork(env, new Masks((line) => lines.push(line)));
  return { env, notes, masked: lines.join("\n") };
}

test("Without a proxy, no variable is set", () => {
  const { env, notes, masked } = prepare({ NO_PROXY: "a.example" });
  assert.deepEqual(env, { NO_PROXY: "a.example" });
  assert.deepEqual([notes, masked], [[], ""]);
});

test("The agent's proxy is used for the schemes without a variable", () => {
  const { env, notes } = prepare({ http_proxy: "http://own:1", AGENT_PROXYURL: "http://agents:2" });
  assert.equal(env.HTTP_PROXY, "http://own:1");
  assert.equal(env.HTTPS_PROXY, "http://agents:2");
  assert.equal(env.https_proxy, "http://agents:2");
  assert.equal(env.NO_PROXY, local);
  assert.deepEqual(notes, ["Requests use the proxy `http://agents:2`, from the agent's configuration"]);
});

test("The agent's user and password become part of the proxy's address", () => {
  const { env, masked } = prepare({
    AGENT_PROXYURL: "http://agents:2/",
    AGENT_PROXYUSERNAME: "DOMAIN\\me",
    SECRET_AGENT_PROXYPASSWORD: "p@ss:/w%rd",
  });
  assert.equal(env.HTTPS_PROXY, "http://DOMAIN%5Cme:p%40ss%3A%2Fw%25rd@agents:2");
  assert.equal(env.SECRET_AGENT_PROXYPASSWORD, undefined);
  const pair = Buffer.from("DOMAIN\\me:p@ss:/w%rd").toString("base64");
  for (const form of ["p%AZP2540ss%AZP253A%AZP252Fw%AZP2525rd", "p@ss:/w%AZP25rd", pair])
    assert.ok(masked.includes(`]${form}`), `${form} in\n${masked}`);
});

test("A proxy's password is masked in every place and form", () => {
  for (const name of ["HTTPS_PROXY", "http_proxy", "ALL_PROXY", "AGENT_PROXYURL"])
    for (const scheme of ["", "http://"])
      assert.match(prepare({ [name]: `${scheme}me:hush@proxy:1` }).masked, /\]hush$/m, name);
});

test("A proxy's address is normalised to the form that every client accepts", () => {
  const { env, masked } = prepare({ HTTPS_PROXY: "me:p^w'd@proxy:1" });
  assert.equal(env.HTTPS_PROXY, "http://me:p%5Ew'd@proxy:1");
  for (const form of ["p^w'd", "p%AZP255Ew'd"]) assert.ok(masked.includes(`]${form}`), masked);
});

test("An invalid proxy address is reported without showing it", () => {
  const { notes } = prepare({ HTTPS_PROXY: "http://me:hu#sh@proxy" });
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /`HTTPS_PROXY` is not a URL/);
  assert.doesNotMatch(notes.join(), /hu|sh@/);
});

test("Entries of NO_PROXY are rewritten to the forms that the clients know", () => {
  const { env } = prepare({
    HTTPS_PROXY: "http://p:1",
    no_proxy: "*.a.example; b.example:8443,[::2]:5,10.0.0.0/8",
  });
  assert.equal(env.NO_PROXY, `.a.example,b.example,::2,10.0.0.0/8,${local}`);
  assert.equal(env.no_proxy, env.NO_PROXY);
});

test("The agent's bypass patterns become entries of NO_PROXY where that can express them", () => {
  const cases: [pattern: string, rule: string | undefined][] = [
    ["github\\.com", "github.com"],
    [".*\\.contoso\\.com", "contoso.com"],
    ["\\.contoso\\.com$", "contoso.com"],
    ["^https?://registry\\.contoso\\.com(:5000)?/", undefined],
    ["^https?://registry\\.contoso\\.com:5000/.*$", "registry.contoso.com"],
    ["https:\\/\\/registry\\.contoso\\.com", "registry.contoso.com"],
    ["10\\.0\\.0\\.7", "10.0.0.7"],
    ["10\\.", "10.0.0.0/8"],
    ["^192\\.168\\..*", "192.168.0.0/16"],
    ["172\\.16\\.\\d+\\.\\d+", "172.16.0.0/16"],
    ["10\\.1\\.1\\.0/26", "10.1.1.0/26"],
    ["^10\\.1\\.1\\.64\\/27$", "10.1.1.64/27"],
    ["10.1.1.0/33", undefined],
    ["10\\.1\\.1\\.\\d{1,3}", "10.1.1.0/24"],
    ["10\\.1\\.[0-9]{1,3}\\.[0-9]{1,3}", "10.1.0.0/16"],
    ["10\\.1\\.1\\.\\d", undefined],
    ["10\\.1\\.1\\.(", undefined],
    ["127\\.0\\.0.*", "127.0.0.0/24"],
    ["192\\.168.*", "192.168.0.0/16"],
    ["10.*", "10.0.0.0/8"],
    ["10.*.*.*", "10.0.0.0/8"],
    ["172\\.16\\..*\\..*", "172.16.0.0/16"],
    ["10\\.1\\.1", undefined],
    ["localhost", "localhost"],
    ["build[0-9]+\\.contoso\\.com", undefined],
    ["a\\.example|b\\.example", undefined],
    [".*", undefined],
    ["", undefined],
  ];
  for (const [pattern, rule] of cases) assert.equal(noProxyRule(pattern), rule, pattern);
});

test("The agent's certificate authority is used unless a variable names others", () => {
  const ca = { AGENT_CAINFO: "/etc/contoso.pem" };
  assert.equal(prepare({ ...ca }).env.FALCON_PATCH_CA_FILE, "/etc/contoso.pem");
  assert.equal(prepare({ ...ca, SSL_CERT_FILE: "/ca.pem" }).env.FALCON_PATCH_CA_FILE, undefined);
  assert.equal(prepare({ ...ca, SSL_CERT_DIR: "/ca" }).env.FALCON_PATCH_CA_FILE, undefined);
  assert.equal(prepare({ FALCON_PATCH_CA_FILE: "/evil.pem" }).env.FALCON_PATCH_CA_FILE, undefined);
});
