// The control API, plain HTTP and JSON on loopback: tests switch ECR's behaviours, order faults and read the log of requests.
import { readAll } from "./pass.mjs";

export const control = ({ aws, ecr, kms, tokens, faults, log }) => {
  const routes = {
    "GET /requests": () => log.entries,
    "DELETE /requests": () => void log.entries.splice(0),
    "GET /faults": () => faults.list(),
    "POST /faults": (body) => faults.add(body),
    "DELETE /faults": () => void faults.clear(),
    "PUT /keys": (body) => kms.put(body),
    "GET /settings": () => ecr.settings,
    "PUT /settings": (body) => Object.assign(ecr.settings, body),
    // {"next": N} answers the next N requests that their token is expired; {"renew": true} expires all tokens issued so far.
    "POST /tokens/expire": ({ next, renew, json = false }) => {
      tokens.json = json;
      if (next !== undefined) tokens.expireNext(next);
      if (renew) tokens.renew();
    },
  };
  const putRepository = async (name, region, settings) => {
    if (settings.immutable !== undefined || settings.exclusions || !(await aws.repository(region, name)))
      await aws.putRepository(region, name, settings);
    ecr.configure(region, name, settings);
    return aws.repository(region, name);
  };
  return async (request, response) => {
    const url = new URL(request.url, "http://front");
    try {
      const text = (await readAll(request)).toString();
      const body = text ? JSON.parse(text) : {};
      const route = routes[`${request.method} ${url.pathname}`];
      const repository = request.method === "PUT" && /^\/repositories\/(.+)$/.exec(url.pathname)?.[1];
      if (!route && !repository) return void response.writeHead(404).end("no such route\n");
      const answer = repository
        ? await putRepository(repository, url.searchParams.get("region") ?? "eu-west-1", body)
        : await route(body);
      response.writeHead(answer === undefined ? 204 : 200, { "content-type": "application/json" });
      response.end(answer === undefined ? undefined : `${JSON.stringify(answer, null, 2)}\n`);
    } catch (error) {
      response.writeHead(400).end(`${error}\n`);
    }
  };
};
