// The front of moto: logs the AWS calls, applies faults to them, and lets an ECR authorization token change, which moto's never does.
import { ACCOUNT } from "./aws.mjs";
import { exchange, readAll } from "./pass.mjs";

/** The password that ECR issues. moto's is a constant; after `renew` the front writes a new one into moto's answers. */
export class Tokens {
  #serial = 0;
  #expiredRequests = 0;
  json = false;

  get current() {
    return this.#serial === 0 ? `${ACCOUNT}-auth-token` : `${ACCOUNT}-auth-token-${this.#serial}`;
  }

  /** Expires every password that was issued so far. */
  renew() {
    this.#serial += 1;
  }

  /** Answers the next `count` requests that their token has expired. */
  expireNext(count) {
    this.#expiredRequests = count;
  }

  judge(password) {
    if (!password?.startsWith(`${ACCOUNT}-auth-token`)) return "unknown";
    if (this.#expiredRequests > 0) {
      this.#expiredRequests -= 1;
      return "expired";
    }
    return password === this.current ? "valid" : "expired";
  }
}

const OPENED_BY_TOKEN = "sts:AssumeRoleWithWebIdentity";

// With IAM enforced, moto breaks on an unsigned call; a client with the token needs no keys:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
const signed = (request, body, aws) => ({ ...request.headers, ...aws.signature("sts", "us-east-1", body) });

export const awsFront = (parts) => (request, response) =>
  serve(parts, request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });

async function serve({ port, aws, kms, tokens, log, faults }, request, response) {
  const body = await readAll(request);
  const action = actionOf(request, body);
  const entry = log.open(request, `aws:${action}`)(response);
  const fault = faults.take({ method: request.method, path: `aws:${action}`, host: request.headers.host });
  if (fault.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  if (fault.cut) return request.socket.destroy();
  if (fault.answer) {
    const { status, headers, body: text = "" } = fault.answer;
    response.writeHead(status, headers).end(typeof text === "string" ? text : JSON.stringify(text));
    return;
  }
  const isUnsigned = action === OPENED_BY_TOKEN && !request.headers.authorization;
  const answer = await exchange({
    port,
    method: request.method,
    path: request.url,
    headers: isUnsigned ? signed(request, body, aws) : request.headers,
    body,
  });
  entry.bytesIn = body.length;
  const { status, headers, text } = isOfKms(action, answer)
    ? kms.answer(action, body, regionOf(request))
    : answer.status < 400
      ? renewed(answer, action, tokens)
      : asAwsSaysIt(answer, request);
  entry.bytesOut = Buffer.byteLength(text);
  response.writeHead(status, { ...headers, "content-length": entry.bytesOut });
  response.end(text);
}

// moto's expiry lies in the past, which a careful client would take at its word; ECR's tokens live for twelve hours:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
function renewed(answer, action, tokens) {
  if (action !== "ecr:GetAuthorizationToken") return answer;
  const content = JSON.parse(answer.text);
  for (const each of content.authorizationData) {
    each.authorizationToken = Buffer.from(`AWS:${tokens.current}`).toString("base64");
    each.expiresAt = Math.floor(Date.now() / 1000) + 12 * 3600;
  }
  return { ...answer, text: JSON.stringify(content) };
}

// moto writes every refusal in one XML shape, which the clients of no service in use here can read. The names of the JSON services
// are in https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html, the XML shape of STS in
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
const JSON_NAMES = {
  InvalidClientTokenId: "UnrecognizedClientException",
  SignatureDoesNotMatch: "InvalidSignatureException",
  AccessDenied: "AccessDeniedException",
};

const REFUSAL = /<Errors><Error><Code>(.*?)<\/Code><Message>(.*?)<\/Message>/s;

// moto judges who calls and what they may, and knows none of the keys, so its answer to an allowed call is of no interest.
const isOfKms = (action, answer) => action.startsWith("kms:") && !REFUSAL.test(answer.text);

function asAwsSaysIt(answer, request) {
  const [, code, message] = REFUSAL.exec(answer.text) ?? [];
  if (!code) return answer;
  const requestId = answer.headers["x-amzn-requestid"];
  if (!request.headers["x-amz-target"]) {
    const text = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status: 403, headers: { "content-type": "text/xml", "x-amzn-requestid": requestId }, text };
  }
  const why =
    code === "AccessDenied" ? " on resource: * with an explicit deny in an identity-based policy" : "";
  const text = JSON.stringify({ __type: JSON_NAMES[code] ?? code, message: `${message}${why}` });
  return {
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": requestId },
    text,
  };
}

const scopeOf = (request) =>
  /\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/.exec(request.headers.authorization ?? "");
const regionOf = (request) => scopeOf(request)[1];

function actionOf(request, body) {
  const target = request.headers["x-amz-target"];
  const service = scopeOf(request)?.[2] ?? "sts";
  return `${service}:${target ? target.split(".").pop() : (new URLSearchParams(body.toString()).get("Action") ?? request.url)}`;
}
