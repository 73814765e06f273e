// A forward proxy: CONNECT and requests with a whole address, with an optional password, and a list of passed hosts.
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";

/** Requests leave from here, so that a server can distinguish them from those that did not use the proxy. */
export const proxyAddress = "127.0.0.2";

/**
 * Starts a proxy.
 *
 * - `credentials`: `user:password`, without which nothing passes
 * - `names`: hosts that only the proxy knows, each with its port on this machine
 * - `passed`: the host of each request and tunnel
 * - `refused`: those that lacked the credentials
 */
export async function startProxy({ credentials, names = {} } = {}) {
  const passed = [];
  const refused = [];
  const expected = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
  const admits = (request, host) => {
    const admitted = expected === undefined || request.headers["proxy-authorization"] === expected;
    (admitted ? passed : refused).push(host);
    return admitted;
  };
  const server = createServer((request, response) => forward(request, response, admits));
  server.on("connect", (request, socket) => tunnel(request, socket, { admits, names }));
  await new Promise((resolve) => server.listen(0, proxyAddress, resolve));
  return {
    host: `${proxyAddress}:${server.address().port}`,
    passed,
    refused,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function tunnel(request, socket, { admits, names }) {
  socket.on("error", () => socket.destroy());
  const [host, port] = request.url.split(":");
  if (!admits(request, host))
    return socket.end(
      'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="lab"\r\n\r\n',
    );
  const target = names[host] ? { host: "127.0.0.1", port: names[host] } : { host, port };
  const server = connect({ ...target, localAddress: proxyAddress }, () => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    server.pipe(socket).pipe(server);
  });
  server.on("error", () => socket.destroy());
  socket.on("close", () => server.destroy());
}

function forward(request, response, admits) {
  const url = new URL(request.url);
  if (!admits(request, url.hostname))
    return response.writeHead(407, { "proxy-authenticate": 'Basic realm="lab"' }).end();
  const { method, headers } = request;
  const onward = httpRequest(url, { method, headers, localAddress: proxyAddress }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
