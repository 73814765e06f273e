// In front of moto: logs the AWS calls, applies faults to them, and lets an ECR authorization token change, which moto's never does.
import { ACCOUNT } from './aws.mjs';
import { exchange, passOn, readAll } from './pass.mjs';

/** The password that ECR hands out. moto's is a constant; after `renew` the front writes a new one into moto's answers. */
export class Tokens {
  #serial = 0;
  #expiredRequests = 0;
  json = false;

  get current() {
    return this.#serial === 0 ? `${ACCOUNT}-auth-token` : `${ACCOUNT}-auth-token-${this.#serial}`;
  }

  /** Every password given out so far is expired from now on. */
  renew() {
    this.#serial += 1;
  }

  /** The next `count` requests are told that their token is expired, whichever it is. */
  expireNext(count) {
    this.#expiredRequests = count;
  }

  judge(password) {
    if (!password?.startsWith(`${ACCOUNT}-auth-token`)) return 'unknown';
    if (this.#expiredRequests > 0) return (this.#expiredRequests -= 1, 'expired');
    return password === this.current ? 'valid' : 'expired';
  }
}

export const awsFront = ({ port, tokens, log, faults }) => async (request, response) => {
  const body = await readAll(request);
  const action = actionOf(request, body);
  const entry = log.open(request, `aws:${action}`)(response);
  const fault = faults.take({ method: request.method, path: `aws:${action}`, host: request.headers.host });
  if (fault.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  if (fault.cut) return request.socket.destroy();
  if (fault.answer) {
    const { status, headers, body: text = '' } = fault.answer;
    response.writeHead(status, headers).end(typeof text === 'string' ? text : JSON.stringify(text));
    return;
  }
  const pass = (to) => passOn(request, to, { port, path: request.url, headers: request.headers, body, entry, fault });
  if (action !== 'ecr:GetAuthorizationToken') return pass(response);
  const answer = await exchange({ port, method: request.method, path: request.url, headers: request.headers, body });
  const renewed = answer.status === 200 ? renewedToken(answer.text, tokens.current) : answer.text;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(renewed) });
  response.end(renewed);
};

// moto's expiry lies in the past, which a careful client would take at its word; ECR's tokens live for twelve hours:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
function renewedToken(text, password) {
  const answer = JSON.parse(text);
  for (const each of answer.authorizationData) {
    each.authorizationToken = Buffer.from(`AWS:${password}`).toString('base64');
    each.expiresAt = Math.floor(Date.now() / 1000) + 12 * 3600;
  }
  return JSON.stringify(answer);
}

function actionOf(request, body) {
  const target = request.headers['x-amz-target'];
  const service = /\/([a-z0-9-]+)\/aws4_request/.exec(request.headers.authorization ?? '')?.[1] ?? 'unknown';
  return `${service}:${target ? target.split('.').pop() : (new URLSearchParams(body.toString()).get('Action') ?? request.url)}`;
}
