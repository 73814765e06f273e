// A stand-in of ECS's API on this machine, for what moto cannot play: deployments that move, fail, and are replaced. A test
// starts its own and points `AWS_ENDPOINT_URL_ECS` at it; ECR and STS stay where they are.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Definitions, Refusal } from "./ecs/definitions.mjs";
import { Service } from "./ecs/service.mjs";
import { readAll } from "./front/pass.mjs";

const PLACE = "arn:aws:ecs:eu-west-1:123456789012";
const THROTTLED = { type: "ThrottlingException", message: "Rate exceeded" };

/**
 * Starts ECS with the cluster `production` and a service for each of `names`.
 *
 * - `definition`: the task definition that the service runs, under revision 7; other services have it with their names
 * - `service`: changes of the service as described; `controller` is its deployment controller, `status` may be INACTIVE, and
 *   `rollout` is the state of the deployment that is there already
 * - `frames`: the states that looks after an update show, see ecs/frames.mjs; or a list of such lists, one for each update
 * - `digest`: the digest that running tasks report, in place of the one in the definition
 * - `denied`, `unsupported`: actions that are always refused so
 * - `faults`: each with its `action` and `count` (1), and one of `throttle`, `expire`, `answer` (`status`, `type`,
 *   `message`), `body` (a text with status 200), `cut` (the request is not obeyed and not answered) and `lose` (it is obeyed and not answered); `after`
 *   requests pass before it
 * - `delayMs`: the time between a request, which is obeyed at once, and its answer
 */
export async function startEcs({
  definition,
  names = ["web"],
  service = {},
  frames = [],
  digest,
  denied = [],
  unsupported = [],
  faults = [],
  delayMs = 0,
}) {
  const definitions = new Definitions(PLACE);
  const services = new Map(
    names.map((name) => {
      const revision = definitions.seed(
        JSON.parse(JSON.stringify(definition).replaceAll(/\bweb\b/g, name)),
        7,
      );
      return [
        name,
        new Service({ place: PLACE, name, definitions, revision, settings: service, frames, digest }),
      ];
    }),
  );
  const requests = [];
  const due = faults.map((fault) => ({ count: 1, after: 0, ...fault }));
  const operations = operationsOf(definitions, services);
  const server = createServer(async (request, response) => {
    const action = (request.headers["x-amz-target"] ?? "").split(".").pop();
    const body = JSON.parse((await readAll(request)).toString() || "{}");
    const [, key] = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "") ?? [];
    requests.push({ action, body, key, at: Date.now() });
    const fault = take(due, action);
    if (fault?.cut) return request.socket.destroy();
    const [status, answer] = answerTo({ action, body, fault, denied, unsupported, operations });
    if (delayMs > 0) await sleep(delayMs);
    if (fault?.lose) return request.socket.destroy();
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    response.end(fault?.body ?? JSON.stringify(answer));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const count = (action) => requests.filter((each) => each.action === action).length;
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    count,
    definitions,
    services,
    service: services.get(names[0]),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function take(due, action) {
  const fault = due.find((each) => each.action === action && each.count > 0);
  if (!fault) return undefined;
  if (fault.after > 0) {
    fault.after -= 1;
    return undefined;
  }
  fault.count -= 1;
  return fault;
}

/** Status and body of the answer to a request. */
function answerTo({ action, body, fault, denied, unsupported, operations }) {
  try {
    if (fault?.throttle) throw new Refusal(THROTTLED.type, THROTTLED.message);
    if (fault?.expire)
      throw new Refusal("ExpiredTokenException", "The security token included in the request is expired");
    if (fault?.answer) throw new Refusal(fault.answer.type, fault.answer.message, fault.answer.status);
    if (denied.includes(action)) {
      const who = "arn:aws:iam::123456789012:user/lab-deploy";
      const what = `User: ${who} is not authorized to perform: ecs:${action} on resource: ${PLACE}:service/production/web because no identity-based policy allows the ecs:${action} action`;
      throw new Refusal("AccessDeniedException", what);
    }
    if (unsupported.includes(action))
      throw new Refusal("UnsupportedFeatureException", "The specified task isn't supported in this Region.");
    const operation = operations[action];
    if (!operation) throw new Refusal("UnknownOperationException", `no operation ${action}`);
    return [200, operation(body)];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.status, { __type: error.type, message: error.message }];
  }
}

function operationsOf(definitions, services) {
  const inCluster = (name) => {
    if (!/^(arn:[^/]+\/)?production$/.test(name ?? "default"))
      throw new Refusal("ClusterNotFoundException", "Cluster not found.");
  };
  const find = (name) => services.get(name.replace(/^arn:[^/]+\/production\//, ""));
  const known = (name) => {
    const found = find(name);
    if (!found) throw new Refusal("ServiceNotFoundException", "Service not found.");
    return found;
  };
  const all = [...services.values()];
  return {
    RegisterTaskDefinition: (body) => definitions.register(body),
    DescribeTaskDefinition: (body) => definitions.describe(body),
    ListTaskDefinitions: (body) => definitions.list(body),
    DescribeClusters: ({ clusters = ["default"] }) => {
      const found = clusters.filter((name) => /production$/.test(name));
      const active = {
        clusterArn: `${PLACE}:cluster/production`,
        clusterName: "production",
        status: "ACTIVE",
      };
      const failures = clusters
        .filter((name) => !found.includes(name))
        .map((name) => ({ arn: `${PLACE}:cluster/${name}`, reason: "MISSING" }));
      return { clusters: found.map(() => active), failures };
    },
    DescribeServices: ({ cluster, services: wanted }) => {
      inCluster(cluster);
      const failures = wanted
        .filter((name) => !find(name))
        .map((name) => ({ arn: `${PLACE}:service/production/${name}`, reason: "MISSING" }));
      return { services: wanted.filter(find).map((name) => find(name).look()), failures };
    },
    UpdateService: ({ cluster, service, ...changes }) => {
      inCluster(cluster);
      return { service: known(service).update(changes) };
    },
    ListServiceDeployments: ({ cluster, service, ...filter }) => {
      inCluster(cluster);
      return { serviceDeployments: known(service).briefs(filter) };
    },
    DescribeServiceDeployments: ({ serviceDeploymentArns }) => {
      const found = all.flatMap((each) => each.details(serviceDeploymentArns));
      const missing = serviceDeploymentArns.filter(
        (arn) => !found.some(({ serviceDeploymentArn }) => serviceDeploymentArn === arn),
      );
      return { serviceDeployments: found, failures: missing.map((arn) => ({ arn, reason: "MISSING" })) };
    },
    ListTasks: ({ cluster, serviceName, desiredStatus = "RUNNING", startedBy }) => {
      inCluster(cluster);
      if (startedBy && serviceName)
        throw new Refusal("InvalidParameterException", "Cannot specify both startedBy and serviceName.");
      const tasks = serviceName ? known(serviceName).tasks() : all.flatMap((each) => each.tasks());
      const wanted = tasks.filter((task) => task.desiredStatus === desiredStatus);
      return { taskArns: wanted.map(({ taskArn }) => taskArn) };
    },
    DescribeTasks: ({ cluster, tasks }) => {
      inCluster(cluster);
      const known = all.flatMap((each) => each.tasks());
      return { tasks: known.filter(({ taskArn }) => tasks.includes(taskArn)), failures: [] };
    },
  };
}
