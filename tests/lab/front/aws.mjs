// Calls to moto, which stands for AWS: the accounts that tests use, and the repositories that the front serves.
import { createHash, createHmac } from "node:crypto";

export const ACCOUNT = "123456789012";
export const OTHER_ACCOUNT = "210987654321";
const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
const allBut = (action) => ({
  ...everything,
  Statement: [...everything.Statement, { Effect: "Deny", Action: action, Resource: "*" }],
});
// Tests find each user's keys in LAB_<NAME>_ACCESS_KEY_ID and LAB_<NAME>_SECRET_ACCESS_KEY.
const USERS = {
  ADMIN: everything,
  LIMITED: allBut("ecr:GetAuthorizationToken"),
  NODESCRIBE: allBut("ecr:DescribeRepositories"),
  NOREGISTER: allBut("ecs:RegisterTaskDefinition"),
  NOSIGN: allBut("kms:Sign"),
  NOKEY: allBut("kms:GetPublicKey"),
};

export class Aws {
  /** `keys` { id, secret } sign the calls; setUp creates some. */
  constructor(endpoint, keys) {
    this.endpoint = endpoint;
    this.keys = keys;
  }

  /** Creates users, a role and repositories while moto needs no proof of identity, then lets it enforce IAM as AWS does. */
  async setUp(repositories) {
    const environment = {};
    await Promise.all([
      ...Object.entries(USERS).map(async ([name, policy]) => {
        const user = { UserName: `lab-${name.toLowerCase()}` };
        await this.#iam("CreateUser", user);
        await this.#iam("PutUserPolicy", {
          ...user,
          PolicyName: "lab",
          PolicyDocument: JSON.stringify(policy),
        });
        const answer = await this.#iam("CreateAccessKey", user);
        environment[`LAB_${name}_ACCESS_KEY_ID`] = answer.match(/<AccessKeyId>(.*?)</)[1];
        environment[`LAB_${name}_SECRET_ACCESS_KEY`] = answer.match(/<SecretAccessKey>(.*?)</)[1];
      }),
      this.#role("lab-deploy").then((arn) => (environment.LAB_ROLE_ARN = arn)),
      this.#role("lab-other", OTHER_ACCOUNT).then((arn) => (environment.LAB_OTHER_ROLE_ARN = arn)),
      ...Object.entries(repositories).map(([name, settings]) =>
        this.#post("CreateRepository", this.#unsigned("ecr"), {
          repositoryName: name,
          ...mutability(settings),
        }),
      ),
    ]);
    this.keys = { id: environment.LAB_ADMIN_ACCESS_KEY_ID, secret: environment.LAB_ADMIN_SECRET_ACCESS_KEY };
    // http://docs.getmoto.org/en/latest/docs/iam.html: from now on every call is authenticated and authorized.
    await fetch(`${this.endpoint}/moto-api/reset-auth`, { method: "POST", body: "0" });
    return environment;
  }

  /** Fetches the repository from AWS, or undefined, each time anew: a test may create or change it through the AWS API. */
  async repository(region, name) {
    const answer = await this.ecr("DescribeRepositories", region, { repositoryNames: [name] });
    return answer.repositories?.[0];
  }

  /** Creates the repository, or changes its mutability. */
  async putRepository(region, name, settings) {
    if (await this.repository(region, name)) {
      return this.ecr("PutImageTagMutability", region, { repositoryName: name, ...mutability(settings) });
    }
    return this.ecr("CreateRepository", region, { repositoryName: name, ...mutability(settings) });
  }

  async #role(RoleName, account = ACCOUNT) {
    const trust = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "*" } }],
    };
    const made = { RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) };
    const answer = await this.#iam("CreateRole", made, account);
    const policy = { RoleName, PolicyName: "lab", PolicyDocument: JSON.stringify(everything) };
    await this.#iam("PutRolePolicy", policy, account);
    return answer.match(/<Arn>(.*?)</)[1];
  }

  // The account's header is moto's own: http://docs.getmoto.org/en/latest/docs/multi_account.html
  async #iam(Action, parameters, account = ACCOUNT) {
    const response = await fetch(this.endpoint, {
      method: "POST",
      headers: { authorization: this.#unsigned("iam"), "x-moto-account-id": account },
      body: new URLSearchParams({ Action, Version: "2010-05-08", ...parameters }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${Action}: ${response.status} ${text}`);
    return text;
  }

  // moto reads the service from the credential scope even while it checks no signature.
  #unsigned(service) {
    const region = service === "iam" ? "us-east-1" : "eu-west-1";
    return `AWS4-HMAC-SHA256 Credential=lab/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`;
  }

  async #post(action, authorization, parameters, headers = {}) {
    const response = await fetch(this.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${action}`,
        authorization,
        ...headers,
      },
      body: JSON.stringify(parameters),
    });
    return response.json();
  }

  /** A signed call to ECR. */
  ecr(action, region, parameters) {
    const { authorization, ...headers } = this.signature("ecr", region, JSON.stringify(parameters));
    return this.#post(action, authorization, parameters, headers);
  }

  /** The headers that sign a POST in the administrator's name. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
  signature(service, region, body) {
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
    const host = new URL(this.endpoint).host;
    const hash = (text) => createHash("sha256").update(text).digest("hex");
    const mac = (key, text) => createHmac("sha256", key).update(text).digest();
    const canonical = [
      "POST",
      "/",
      "",
      `host:${host}`,
      `x-amz-date:${date}`,
      "",
      "host;x-amz-date",
      hash(body),
    ];
    const toSign = ["AWS4-HMAC-SHA256", date, scope, hash(canonical.join("\n"))].join("\n");
    const key = scope.split("/").reduce(mac, `AWS4${this.keys.secret}`);
    const signature = mac(key, toSign).toString("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=${this.keys.id}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
    return { authorization, host, "x-amz-date": date };
  }
}

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html
function mutability({ immutable = false, exclusions = [] }) {
  const base = immutable ? "IMMUTABLE" : "MUTABLE";
  if (exclusions.length === 0) return { imageTagMutability: base };
  return {
    imageTagMutability: `${base}_WITH_EXCLUSION`,
    imageTagMutabilityExclusionFilters: exclusions.map((filter) => ({ filterType: "WILDCARD", filter })),
  };
}
