// Passes a request on and streams both bodies, so that images of any size need constant memory.
import { Agent, request as httpRequest } from "node:http";

const agent = new Agent({ keepAlive: true });

/** `adjust` changes status and headers of the answer before they are sent; `entry` counts the bytes for the request log. */
export function passOn(
  incoming,
  outgoing,
  { port, path, headers, body, entry, fault = {}, adjust = (answer) => answer },
) {
  const request = httpRequest(
    { host: "127.0.0.1", port, agent, method: incoming.method, path, headers },
    (answer) => {
      const adjusted = adjust({ status: answer.statusCode, headers: { ...answer.headers } });
      delete adjusted.headers.connection;
      delete adjusted.headers["keep-alive"];
      outgoing.writeHead(adjusted.status, adjusted.headers);
      answer.on("data", (chunk) => (entry.bytesOut += chunk.length));
      if (fault.corrupt || fault.cutAfter !== undefined) spoil(answer, outgoing, fault);
      else answer.pipe(outgoing);
    },
  );
  request.on("error", () => outgoing.destroy());
  outgoing.on("close", () => outgoing.writableFinished || request.destroy());
  incoming.on("error", () => request.destroy());
  if (body !== undefined) {
    entry.bytesIn = body.length;
    request.end(body);
    return;
  }
  incoming.on("data", (chunk) => {
    entry.bytesIn += chunk.length;
    if (entry.bytesIn > (fault.cutRequestAfter ?? Infinity)) incoming.destroy();
  });
  incoming.pipe(request);
}

// A fault in the middle of a body: the connection breaks after so many bytes, or one bit is another one.
function spoil(answer, outgoing, { cutAfter = Infinity, corrupt }) {
  let seen = 0;
  answer.on("data", (chunk) => {
    if (corrupt && seen === 0) chunk[chunk.length >> 1] ^= 1;
    const room = cutAfter - seen;
    seen += chunk.length;
    if (chunk.length <= room) return void outgoing.write(chunk);
    outgoing.write(chunk.subarray(0, room), () => outgoing.destroy());
    answer.destroy();
  });
  answer.on("end", () => outgoing.end());
}

export async function readAll(stream, limit = 8 << 20) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw new Error("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** One small request with its headers untouched: a signature covers the Host header, which fetch would set anew. */
export async function exchange({ port, method, path, headers, body }) {
  const answer = await new Promise((resolve, reject) =>
    httpRequest({ host: "127.0.0.1", port, agent: false, method, path, headers }, resolve)
      .on("error", reject)
      .end(body),
  );
  const { connection, "transfer-encoding": _, ...kept } = answer.headers;
  return { status: answer.statusCode, headers: kept, text: (await readAll(answer)).toString() };
}
