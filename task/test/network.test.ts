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

test("nothing_is_set_where_there_is_no_proxy", () => {
  const { env, notes, masked } = prepare({ NO_PROXY: "a.example" });
  assert.deepEqual(env, { NO_PROXY: "a.example" });
  assert.deepEqual([notes, masked], [[], ""]);
});

test("the_agents_proxy_counts_for_the_schemes_without_one", () => {
  const { env, notes } = prepare({ http_proxy: "http://own:1", AGENT_PROXYURL: "http://agents:2" });
  assert.equal(env.HTTP_PROXY, "http://own:1");
  assert.equal(env.HTTPS_PROXY, "http://agents:2");
  assert.equal(env.https_proxy, "http://agents:2");
  assert.equal(env.NO_PROXY, local);
  assert.deepEqual(notes, [
    "Requests use the proxy `http://agents:2`, from the agent's configuration",
  ]);
});

test("the_agents_user_and_password_become_part_of_the_address", () => {
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

test("a_password_is_masked_wherever_it_stands", () => {
  for (const name of ["HTTPS_PROXY", "http_proxy", "ALL_PROXY", "AGENT_PROXYURL"])
    for (const scheme of ["", "http://"])
      assert.match(prepare({ [name]: `${scheme}me:hush@proxy:1` }).masked, /\]hush$/m, name);
});

test("an_address_is_written_as_every_client_takes_it", () => {
  const { env, masked } = prepare({ HTTPS_PROXY: "me:p^w'd@proxy:1" });
  assert.equal(env.HTTPS_PROXY, "http://me:p%5Ew'd@proxy:1");
  for (const form of ["p^w'd", "p%AZP255Ew'd"]) assert.ok(masked.includes(`]${form}`), masked);
});

test("what_is_no_address_is_told_without_being_shown", () => {
  const { notes } = prepare({ HTTPS_PROXY: "http://me:hu#sh@proxy" });
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /`HTTPS_PROXY` is not a URL/);
  assert.doesNotMatch(notes.join(), /hu|sh@/);
});

test("exceptions_are_written_as_the_clients_know_them", () => {
  const { env } = prepare({
    HTTPS_PROXY: "http://p:1",
    no_proxy: "*.a.example; b.example:8443,[::2]:5,10.0.0.0/8",
  });
  assert.equal(env.NO_PROXY, `.a.example,b.example,::2,10.0.0.0/8,${local}`);
  assert.equal(env.no_proxy, env.NO_PROXY);
});

test("the_agents_patterns_become_exceptions_where_they_can", () => {
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
    ["localhost", "localhost"],
    ["build[0-9]+\\.contoso\\.com", undefined],
    ["a\\.example|b\\.example", undefined],
    [".*", undefined],
    ["", undefined],
  ];
  for (const [pattern, rule] of cases) assert.equal(noProxyRule(pattern), rule, pattern);
});

test("the_agents_authority_counts_unless_a_variable_names_others", () => {
  const ca = { AGENT_CAINFO: "/etc/contoso.pem" };
  assert.equal(prepare({ ...ca }).env.FALCON_PATCH_CA_FILE, "/etc/contoso.pem");
  assert.equal(prepare({ ...ca, SSL_CERT_FILE: "/ca.pem" }).env.FALCON_PATCH_CA_FILE, undefined);
  assert.equal(prepare({ ...ca, SSL_CERT_DIR: "/ca" }).env.FALCON_PATCH_CA_FILE, undefined);
  assert.equal(prepare({ FALCON_PATCH_CA_FILE: "/evil.pem" }).env.FALCON_PATCH_CA_FILE, undefined);
});
