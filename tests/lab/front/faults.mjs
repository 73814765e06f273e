// Faults that a test orders through the control API, and the log of all requests.

/**
 * A fault: `match` { method, pathPattern (regular expression), host }, `after` matching requests pass first, then `count` are hit
 * (all, when left out). Effects:
 *
 * - `answer` { status, headers, body } instead of the real one
 * - `cut: true`: no answer at all
 * - `cutAfter`: bytes of the answer's body
 * - `cutRequestAfter`: bytes of the request's body
 * - `corrupt: true`: one bit of the answer's body
 * - `delayMs`: then the real answer, or one of the others
 */
export class Faults {
  #faults = [];
  #next = 1;

  add(fault) {
    const added = { id: this.#next++, after: 0, count: Infinity, ...fault, hits: 0 };
    new RegExp(added.match?.pathPattern ?? "");
    this.#faults.push(added);
    return { id: added.id };
  }

  clear() {
    this.#faults = [];
  }

  list() {
    return this.#faults.map((fault) => ({
      ...fault,
      count: Number.isFinite(fault.count) ? fault.count : null,
    }));
  }

  /** Faults that apply to this request, merged; every matching fault is used up by one. */
  take({ method, path, host }) {
    const hits = this.#faults.filter(({ match = {} }) => {
      if (match.method && match.method !== method) return false;
      if (match.host && match.host !== host) return false;
      return new RegExp(match.pathPattern ?? "").test(path);
    });
    const due = hits.filter((fault) => {
      if (fault.after > 0) {
        fault.after -= 1;
        return false;
      }
      if (fault.count <= 0) return false;
      fault.count -= 1;
      fault.hits += 1;
      return true;
    });
    return Object.assign({}, ...due);
  }
}

export class RequestLog {
  entries = [];

  /** Starts an entry; it is complete once the answer is. The Authorization header's value never enters the log. */
  open(request, path, extra = {}) {
    const started = Date.now();
    const entry = {
      time: new Date(started).toISOString(),
      host: request.headers.host,
      from: request.socket.remoteAddress,
      method: request.method,
      path,
      status: null,
      bytesIn: 0,
      bytesOut: 0,
      ms: null,
      userAgent: request.headers["user-agent"] ?? null,
      authorization: request.headers.authorization !== undefined,
      ...extra,
    };
    this.entries.push(entry);
    return (response) => {
      response.on("close", () => {
        entry.status = response.headersSent ? response.statusCode : 0;
        entry.ms = Date.now() - started;
      });
      return entry;
    };
  }
}
