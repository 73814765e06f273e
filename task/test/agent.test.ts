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

test("identity_is_that_of_the_agent_and_job_that_of_the_job", () => {
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

test("folders_are_those_of_the_agent", () => {
  const { tempDirectory, workDirectory } = agentContext(env, never);
  assert.equal(tempDirectory, "/agent/_work/_temp");
  assert.equal(workDirectory, "/agent/_work");
});

test("the_work_folder_is_the_one_above_the_temporary_one_if_it_is_not_told", () => {
  assert.equal(agentContext({ ...env, AGENT_WORKFOLDER: "" }, never).workDirectory, "/agent/_work");
});

test("a_container_job_needs_the_variable_and_the_marker", () => {
  const named = { ...env, AGENT_CONTAINERID: "0123" };
  assert.equal(agentContext(named, always).inContainerJob, true);
  assert.equal(agentContext(named, never).inContainerJob, false, "a step with `target: host`");
  assert.equal(agentContext(env, always).inContainerJob, false, "an agent that is in a container");
});

test("the_address_of_the_engine_is_passed_on_only_if_there_is_one", () => {
  assert.equal(agentContext({ ...env, DOCKER_HOST: "tcp://x:2376" }, never).dockerHost, "tcp://x:2376");
  assert.ok(!("dockerHost" in agentContext({ ...env, DOCKER_HOST: "" }, never)));
});

test("where_the_run_comes_from_is_told_without_credentials", () => {
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

test("where_nothing_tells_of_the_run_nothing_is_told", () => {
  const context = agentContext({ ...env, BUILD_REPOSITORY_URI: "git@host:shop" }, never);
  for (const name of ["runUrl", "repositoryUrl", "commit"]) assert.ok(!(name in context), name);
});
