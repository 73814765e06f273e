// A stand-in of CrowdStrike's API and registry on this machine, after what is publicly known of both. The sensor is the lab's own:
// the registry shows the repositories of the lab's Distribution under CrowdStrike's names, behind token authentication.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { passOn, readAll } from "./front/pass.mjs";

const UNIFIED = "falcon-container/release/falcon-container";
const ROUTE = /^\/v2\/(?<name>.+?)\/(?<kind>manifests|blobs|tags)\/(?<rest>[^?]+)/;
const PAGE = 3;

/**
 * Starts API and registry. `tags` maps a repository's tags to tags of the lab's `containersensor`. `settings` can be changed while
 * they run:
 *
 * - `region`: the region that the API reports
 * - `denied`: paths of calls without their scope
 * - `locked` and `registryRefuses`: the answer of the API and of the registry to every sign-in
 */
export async function startCrowdStrike({ clientId, clientSecret, customerId, tags, distribution = 5001 }) {
  const state = {
    settings: { region: "us-1", denied: [], locked: undefined, registryRefuses: undefined },
    /** Every request as it came, secrets left out. */
    requests: [],
    /** Texts that must not appear anywhere. */
    secrets: [clientSecret],
  };
  const registryPassword = `registry-${randomUUID()}`;
  state.secrets.push(registryPassword);
  const user = `fc-${customerId.toLowerCase().split("-")[0]}`;
  const api = createServer(apiOf({ state, clientId, clientSecret, customerId, registryPassword }));
  const registry = createServer(registryOf({ state, user, tags, distribution, registryPassword }));
  const listen = (server) =>
    new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve(`127.0.0.1:${server.address().port}`)),
    );
  const [apiHost, registryHost] = [await listen(api), await listen(registry)];
  return {
    ...state,
    apiUrl: `http://${apiHost}`,
    registry: registryHost,
    repository: `${registryHost}/${UNIFIED}`,
    close: () =>
      Promise.all(
        [api, registry].map(
          (server) =>
            new Promise((resolve) => {
              server.close(resolve);
              server.closeAllConnections();
            }),
        ),
      ),
  };
}

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
};
const denied = (response, status, message) => json(response, status, { errors: [{ code: status, message }] });

function apiOf({ state, clientId, clientSecret, customerId, registryPassword }) {
  const tokens = new Set();
  return async (request, response) => {
    const { settings } = state;
    const path = request.url.split("?")[0];
    const body = new URLSearchParams((await readAll(request)).toString());
    state.requests.push({ server: "api", method: request.method, path });
    if (path === "/oauth2/token") {
      if (request.method !== "POST") return denied(response, 405, "method not allowed");
      if (settings.locked) return denied(response, 403, settings.locked);
      if (body.get("client_id") !== clientId || body.get("client_secret") !== clientSecret) {
        return denied(response, 403, "access denied, authorization failed");
      }
      const token = `api-token-${randomUUID()}`;
      tokens.add(token);
      state.secrets.push(token);
      return json(
        response,
        201,
        { access_token: token, expires_in: 1799, token_type: "bearer" },
        { "x-cs-region": settings.region },
      );
    }
    if (!tokens.has(request.headers.authorization?.replace(/^Bearer /, "")))
      return denied(response, 401, "access denied, invalid bearer token");
    if (settings.denied.includes(path)) return denied(response, 403, "access denied, scope not permitted");
    if (path === "/sensors/queries/installers/ccid/v1")
      return json(response, 200, { resources: [customerId] });
    if (path === "/container-security/entities/image-registry-credentials/v1") {
      return json(response, 200, { resources: [{ token: registryPassword }] });
    }
    return denied(response, 404, "no such call");
  };
}

function registryOf({ state, user, tags, distribution, registryPassword }) {
  const tokens = new Map();
  return (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const entry = {
      server: "registry",
      method: request.method,
      path: url.pathname,
      query: url.search,
      bytesIn: 0,
      bytesOut: 0,
    };
    state.requests.push(entry);
    const refuse = (status, code, message, headers) =>
      json(response, status, { errors: [{ code, message }] }, headers);
    if (url.pathname === "/v2/token") {
      const [name, password] = Buffer.from(
        request.headers.authorization?.replace(/^Basic /, "") ?? "",
        "base64",
      )
        .toString()
        .split(/:(.*)/s);
      if (state.settings.registryRefuses) return refuse(401, "UNAUTHORIZED", state.settings.registryRefuses);
      // An engine names the account only when it asks by a form, and falls back to this.
      if (name !== user || password !== registryPassword)
        return refuse(401, "UNAUTHORIZED", "authentication required");
      const token = `pull-token-${randomUUID()}`;
      tokens.set(token, url.searchParams.get("scope"));
      state.secrets.push(token);
      return json(response, 200, { token, expires_in: 300 });
    }
    const { name, kind, rest } = ROUTE.exec(url.pathname)?.groups ?? {};
    const scope = tokens.get(request.headers.authorization?.replace(/^Bearer /, ""));
    if (!scope || (name && scope !== `repository:${name}:pull`)) {
      const host = request.headers.host;
      const challenge = `Bearer realm="http://${host}/v2/token",service="${host}"${name ? `,scope="repository:${name}:pull"` : ""}`;
      return refuse(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
    }
    const known = tags[name];
    if (!name) return json(response, 200, {});
    if (!known) return refuse(404, "NAME_UNKNOWN", "repository name not known to registry");
    if (kind === "tags") return listTags(response, url, name, Object.keys(known));
    const path = `/v2/containersensor/${kind}/${kind === "manifests" ? (known[rest] ?? rest) : rest}`;
    const { authorization, connection, ...headers } = request.headers;
    return passOn(request, response, {
      port: distribution,
      path,
      headers: { ...headers, host: `127.0.0.1:${distribution}` },
      entry,
    });
  };
}

// Pages are short, so that a client that reads only the first fails. The order is alphabetical, as registries have it.
function listTags(response, url, name, all) {
  const sorted = all.toSorted();
  const start = sorted.indexOf(url.searchParams.get("last")) + 1;
  const page = sorted.slice(start, start + PAGE);
  const more = start + PAGE < sorted.length;
  const next = `</v2/${name}/tags/list?last=${page.at(-1)}&n=${PAGE}>; rel="next"`;
  json(response, 200, { name, tags: page }, more ? { link: next } : {});
}
