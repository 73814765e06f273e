import assert from "node:assert/strict";
import { test } from "node:test";
import { agentContext } from "../src/agent.ts";

const env = {
  SYSTEM_COLLECTIONURI: "https://dev.azure.com/contoso/",
  SYSTEM_PLANID: "plan",
  SYSTEM_JOBID: "job",
  AGENT_ID: "7",
  AGENT_NAME: "agent",
  AGENT_MACHINENAME: "machine",
  AGENT_TEMPDIRECTORY: "/agent/_work/_temp",
  AGENT_WORKFOLDER: "/agent/_work",
};
const never = (): boolean => false;
const always = (): boolean => true;

test("The identity depends on the agent alone, and the job's on the job", () => {
  const context = agentContext(env, never);
  assert.match(context.identity, /^[0-9a-f]{16}$/);
  assert.match(context.job, /^[0-9a-f]{16}$/);
  const cases: [changed: keyof typeof env, identity: boolean, job: boolean][] = [
    ["SYSTEM_COLLECTIONURI", true, false],
    ["AGENT_ID", true, false],
    ["AGENT_NAME", true, false],
    ["AGENT_MACHINENAME", true, false],
    ["SYSTEM_PLANID", false, true],
    ["SYSTEM_JOBID", false, true],
    ["AGENT_TEMPDIRECTORY", false, false],
  ];
  for (const [changed, identity, job] of cases) {
    const other = agentContext({ ...env, [changed]: "other" }, never);
    assert.equal(other.identity !== context.identity, identity, `${changed} and identity`);
    assert.equal(other.job !== context.job, job, `${changed} and job`);
  }
});

test("The folders are the agent's", () => {
  const sources = { SYSTEM_DEFAULTWORKINGDIRECTORY: "/agent/_work/1/s" };
  const { tempDirectory, workDirectory, sourcesDirectory } = agentContext({ ...env, ...sources }, never);
  assert.equal(tempDirectory, "/agent/_work/_temp");
  assert.equal(workDirectory, "/agent/_work");
  assert.equal(sourcesDirectory, "/agent/_work/1/s");
  assert.ok(!("sourcesDirectory" in agentContext(env, never)));
});

test("Without a work folder, the parent of the temporary folder is used", () => {
  assert.equal(agentContext({ ...env, AGENT_WORKFOLDER: "" }, never).workDirectory, "/agent/_work");
});

test("A container job is recognised by the variable and the marker together", () => {
  const named = { ...env, AGENT_CONTAINERID: "0123" };
  assert.equal(agentContext(named, always).inContainerJob, true);
  assert.equal(agentContext(named, never).inContainerJob, false, "a step with `target: host`");
  assert.equal(agentContext(env, always).inContainerJob, false, "an agent that is in a container");
});

test("The engine's address is passed on only if it is set", () => {
  assert.equal(agentContext({ ...env, DOCKER_HOST: "tcp://x:2376" }, never).dockerHost, "tcp://x:2376");
  assert.ok(!("dockerHost" in agentContext({ ...env, DOCKER_HOST: "" }, never)));
});

test("TLS to the engine is switched on by any text", () => {
  const folder = (changes: NodeJS.ProcessEnv): string | undefined =>
    agentContext({ ...env, HOME: "/home/agent", ...changes }, never).dockerCertificates;
  const cases: [changes: NodeJS.ProcessEnv, expected: string | undefined][] = [
    [{}, undefined],
    [{ DOCKER_CERT_PATH: "/certs/client" }, undefined],
    [{ DOCKER_TLS_VERIFY: "", DOCKER_TLS: "" }, undefined],
    [{ DOCKER_TLS_VERIFY: "1" }, "/home/agent/.docker"],
    [{ DOCKER_TLS_VERIFY: "0", DOCKER_CERT_PATH: "/certs/client" }, "/certs/client"],
    [{ DOCKER_TLS: "1", DOCKER_CONFIG: "/azp/docker" }, "/azp/docker"],
  ];
  for (const [changes, expected] of cases) assert.equal(folder(changes), expected, JSON.stringify(changes));
});

test("The origin of a run is reported without credentials", () => {
  const build = {
    SYSTEM_TEAMPROJECT: "Web Shop",
    BUILD_BUILDID: "42",
    BUILD_REPOSITORY_URI: "https://someone:token@dev.azure.com/contoso/_git/shop?path=x",
    BUILD_SOURCEVERSION: "0a1b2c",
  };
  const { runUrl, repositoryUrl, commit } = agentContext({ ...env, ...build }, never);
  assert.equal(runUrl, "https://dev.azure.com/contoso/Web%20Shop/_build/results?buildId=42");
  assert.equal(repositoryUrl, "https://dev.azure.com/contoso/_git/shop");
  assert.equal(commit, "0a1b2c");
});

test("Without variables about the run, no origin is reported", () => {
  const context = agentContext({ ...env, BUILD_REPOSITORY_URI: "git@host:shop" }, never);
  for (const name of ["runUrl", "repositoryUrl", "commit"]) assert.ok(!(name in context), name);
});
