// ECR's behaviour, in front of Distribution. Each piece names the place where it is documented or was seen.
import { randomUUID } from "node:crypto";
import { ACCOUNT } from "./aws.mjs";
import { passOn, readAll } from "./pass.mjs";

const HOST = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/;
const LAYER_HOST = /^prod-([a-z0-9-]+)-starport-layer-bucket\.s3\.[a-z0-9-]+\.amazonaws\.com$/;
const ROUTE = /^\/v2\/(?<name>.+?)\/(?<kind>manifests|blobs\/uploads|blobs|tags|referrers)\/(?<rest>[^?]*)$/;
// A region's repositories are its own; all but the first region's lie under a prefix in the one Distribution behind the front.
const prefixOf = (region) => (region === "eu-west-1" ? "" : `in-${region}/`);

export class Ecr {
  settings = { mounting: false, referrers: true, redirects: true };
  #repositories = new Map();
  #presigned = new Map();
  #referrers = new Map();
  #known = new Map();

  constructor({ aws, tokens, port, log, faults }) {
    Object.assign(this, { aws, tokens, port, log, faults });
  }

  configure(region, name, { mounting, referrers, redirects }) {
    const given = Object.fromEntries(
      Object.entries({ mounting, referrers, redirects }).filter(([, value]) => value !== undefined),
    );
    this.#repositories.set(`${region}/${name}`, { ...this.#repositories.get(`${region}/${name}`), ...given });
  }

  serve = async (request, response) => {
    const [path] = request.url.split("?");
    const entry = this.log.open(
      request,
      request.url.replace(/X-Amz-Signature=[^&]*/, "X-Amz-Signature=…"),
    )(response);
    try {
      const host = request.headers.host?.replace(/:443$/, "");
      const fault = this.faults.take({ method: request.method, path: request.url, host });
      if (fault.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
      if (fault.cut) return request.socket.destroy();
      if (fault.answer) return answer(request, response, fault.answer);
      if (LAYER_HOST.test(host)) return this.#layer(request, response, { path, entry, fault });
      await this.#registry(request, response, { path, host, entry, fault });
    } catch (error) {
      console.error(error);
      refuse(response, 500, "INTERNAL", String(error));
    }
  };

  async #registry(request, response, { path, host, entry, fault }) {
    const [, account, region] = HOST.exec(host) ?? [];
    if (!account) return refuse(response, 404, "NAME_UNKNOWN", `no such host ${host}`);
    if (!this.#authorize(request, response, host)) return;
    if (account !== ACCOUNT) return this.#denied(response, account, region, path);
    const query = new URL(request.url, "http://front").searchParams;
    const { name, kind, rest } = ROUTE.exec(path)?.groups ?? {};
    if (!name) return this.#pass(request, response, { region, host, entry, fault });
    const repository = await this.#repository(region, name, request.method === "PUT" && kind === "manifests");
    if (!repository) {
      // ECR creates nothing on push. https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
      return refuse(
        response,
        404,
        "NAME_UNKNOWN",
        `The repository with name '${name}' does not exist in the registry with id '${account}'`,
      );
    }
    const settings = { ...this.settings, ...this.#repositories.get(`${region}/${name}`) };
    const context = { region, host, name, rest, query, entry, fault, settings, repository };
    if (kind === "manifests" && request.method === "PUT")
      return this.#putManifest(request, response, context);
    if (kind === "referrers") return this.#listReferrers(response, context);
    if (kind === "blobs/uploads") return this.#upload(request, response, context);
    if (kind === "blobs" && request.method === "GET" && settings.redirects)
      return this.#redirect(response, context);
    return this.#pass(request, response, context);
  }

  // Every request needs its repository; a test that measures or counts should not wait for moto each time. A missing repository,
  // and the rule for moving a tag, are always fetched anew.
  async #repository(region, name, anew) {
    const key = `${region}/${name}`;
    const known = this.#known.get(key);
    if (!anew && known && Date.now() - known.at < 2000) return known.repository;
    const repository = await this.aws.repository(region, name);
    if (repository) this.#known.set(key, { repository, at: Date.now() });
    return repository;
  }

  // https://github.com/mdlavin/copy-docker-image/issues/5 shows the 401. An expired token's 403 is not JSON in every case; its
  // text is in https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
  #authorize(request, response, host) {
    const [scheme, value = ""] = (request.headers.authorization ?? "").split(" ");
    const [user, password] =
      scheme.toLowerCase() === "basic" ? Buffer.from(value, "base64").toString().split(/:(.*)/s) : [];
    const verdict = user === "AWS" ? this.tokens.judge(password) : "unknown";
    if (verdict === "expired") {
      const text = "Your authorization token has expired. Reauthenticate and try again.";
      if (this.tokens.json) refuse(response, 403, "DENIED", text);
      else answer(request, response, { status: 403, headers: { "content-type": "text/plain" }, body: text });
    } else if (verdict === "unknown") {
      const challenge = `Basic realm="https://${host}/",service="ecr.amazonaws.com"`;
      answer(request, response, {
        status: 401,
        headers: { "www-authenticate": challenge, "docker-distribution-api-version": "registry/2.0" },
        body: "Not Authorized\n",
      });
    }
    return verdict === "valid";
  }

  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
  #denied(response, account, region, path) {
    const name = ROUTE.exec(path)?.groups.name ?? "*";
    const resource = `arn:aws:ecr:${region}:${account}:repository/${name}`;
    const user = `arn:aws:iam::${ACCOUNT}:user/lab-admin`;
    refuse(
      response,
      403,
      "DENIED",
      `User: ${user} is not authorized to perform: ecr:BatchGetImage on resource: ${resource} because no resource-based policy allows the ecr:BatchGetImage action`,
    );
  }

  async #putManifest(request, response, context) {
    const { region, name, rest, settings } = context;
    const body = await readAll(request);
    if (!rest.startsWith("sha256:") && (await this.#isProtected(context))) {
      // The text is quoted in https://github.com/osscontainertools/kaniko/pull/204; that it comes for the same digest too is in
      // https://github.com/aws/aws-sdk/issues/750.
      return refuse(
        response,
        400,
        "TAG_INVALID",
        `The image tag '${rest}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
      );
    }
    const manifest = parse(body);
    if (manifest.subject && !settings.referrers) {
      // https://github.com/aws/containers-roadmap/issues/2783
      return refuse(
        response,
        405,
        "UNSUPPORTED",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
      );
    }
    this.#pass(request, response, {
      ...context,
      body,
      adjust: (given) => {
        if (given.status !== 201 || !manifest.subject || settings.referrers === "tag") return given;
        this.#rememberReferrer(region, name, manifest, body, given.headers["docker-content-digest"]);
        return { ...given, headers: { ...given.headers, "oci-subject": manifest.subject.digest } };
      },
    });
  }

  // Filters are wildcards: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
  async #isProtected({ region, name, rest, repository }) {
    const { imageTagMutability: mode, imageTagMutabilityExclusionFilters: filters = [] } = repository;
    const excluded = (filters ?? []).some(({ filter }) =>
      new RegExp(
        `^${filter
          .split("*")
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*")}$`,
      ).test(rest),
    );
    if (mode.startsWith("IMMUTABLE") ? excluded : !excluded) return false;
    const head = await fetch(
      `http://127.0.0.1:${this.port}/v2/${prefixOf(region)}${name}/manifests/${rest}`,
      { method: "HEAD", headers: { accept: ACCEPT } },
    );
    return head.ok;
  }

  // Distribution before 3.0 has no referrers API, so the front keeps the list. ECR's: https://docs.aws.amazon.com/AmazonECR/latest/userguide/images.html
  #rememberReferrer(region, name, manifest, body, digest) {
    const key = `${region}/${name}@${manifest.subject.digest}`;
    const known = (this.#referrers.get(key) ?? []).filter((each) => each.digest !== digest);
    const artifactType = manifest.artifactType ?? manifest.config?.mediaType;
    this.#referrers.set(key, [
      ...known,
      {
        mediaType: manifest.mediaType,
        digest,
        size: body.length,
        artifactType,
        annotations: manifest.annotations,
      },
    ]);
  }

  #listReferrers(response, { region, name, rest, query, settings }) {
    if (!settings.referrers) return refuse(response, 405, "UNSUPPORTED", "The operation is unsupported.");
    // A registry without the API, as Distribution before 3.0 is one, leaves the list to a tag.
    if (settings.referrers === "tag") return refuse(response, 404, "NOT_FOUND", "page not found");
    const type = query.get("artifactType");
    const manifests = (this.#referrers.get(`${region}/${name}@${rest}`) ?? []).filter(
      (each) => !type || each.artifactType === type,
    );
    const mediaType = "application/vnd.oci.image.index.v1+json";
    response.writeHead(200, {
      "content-type": mediaType,
      ...(type && { "oci-filters-applied": "artifactType" }),
    });
    response.end(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  }

  #upload(request, response, context) {
    const { region, query, settings } = context;
    let path = request.url;
    if (request.method === "POST" && query.has("mount")) {
      // Mounting is an account setting that is off by default, and then the answer is an ordinary upload's 202:
      // https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
      if (!settings.mounting) path = path.split("?")[0];
      else if (query.has("from"))
        path = `${path.split("?")[0]}?mount=${encodeURIComponent(query.get("mount"))}&from=${encodeURIComponent(prefixOf(region) + query.get("from"))}`;
    }
    // https://github.com/aws/containers-roadmap/issues/2831: 201 where the specification has 202.
    const adjust = (given) =>
      request.method === "PATCH" && given.status === 202 ? { ...given, status: 201 } : given;
    this.#pass(request, response, { ...context, path, adjust });
  }

  // Layers come from S3 by a presigned address on another host. S3 refuses a request that is authorized twice:
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (InvalidArgument, "Only one auth mechanism allowed")
  async #redirect(response, { region, name, rest }) {
    const upstream = `/v2/${prefixOf(region)}${name}/blobs/${rest}`;
    const head = await fetch(`http://127.0.0.1:${this.port}${upstream}`, { method: "HEAD" });
    if (!head.ok) return refuse(response, 404, "BLOB_UNKNOWN", `blob unknown to registry: ${rest}`);
    const signature = randomUUID();
    this.#presigned.set(signature, upstream);
    const location = `https://prod-${region}-starport-layer-bucket.s3.${region}.amazonaws.com/${rest.replace(":", "/")}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=3600&X-Amz-Signature=${signature}`;
    response.writeHead(307, {
      location,
      "content-type": "text/plain",
      "docker-distribution-api-version": "registry/2.0",
    });
    response.end();
  }

  #layer(request, response, { entry, fault }) {
    const upstream = this.#presigned.get(
      new URL(request.url, "http://front").searchParams.get("X-Amz-Signature"),
    );
    const xml = (status, code, message) =>
      answer(request, response, {
        status,
        headers: { "content-type": "application/xml" },
        body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
      });
    if (request.headers.authorization) return xml(400, "InvalidArgument", "Only one auth mechanism allowed");
    if (!upstream)
      return xml(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided",
      );
    passOn(request, response, {
      port: this.port,
      path: upstream,
      headers: withoutHop(request.headers),
      entry,
      fault,
    });
  }

  #pass(
    request,
    response,
    { region, host, path = request.url, body, entry, fault, adjust = (given) => given },
  ) {
    const prefix = prefixOf(region);
    // Distribution writes absolute addresses from these two headers.
    const headers = { ...withoutHop(request.headers), host, "x-forwarded-proto": "https" };
    if (body) headers["content-length"] = String(body.length);
    passOn(request, response, {
      port: this.port,
      path: path.replace(/^\/v2\/(?=.)/, `/v2/${prefix}`),
      headers,
      body,
      entry,
      fault,
      adjust: (given) => {
        if (given.headers.location)
          given.headers.location = given.headers.location.replace(`/v2/${prefix}`, "/v2/");
        return adjust(given);
      },
    });
  }
}

const ACCEPT = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");

const withoutHop = ({ authorization, connection, "transfer-encoding": _, ...headers }) => headers;

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

// The request's body is read to its end first, or a client still sending would see a broken connection instead of the answer.
function answer(request, response, { status, headers = {}, body = "" }) {
  request.resume();
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-length": Buffer.byteLength(text), ...headers });
  response.end(text);
}

function refuse(response, status, code, message) {
  if (response.headersSent) return response.destroy();
  answer(response.req, response, {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: { errors: [{ code, message }] },
  });
}
