// An HTTP proxy that knows CONNECT only: keeps what it was asked for, and answers as it is told.

import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";

export async function startProxy({ test }) {
  const proxy = { asked: [], status: () => 200 };
  const sockets = new Set();
  const server = createServer((_, outgoing) => outgoing.writeHead(501).end());
  server.on("connection", (socket) => sockets.add(socket));
  server.on("connect", (request, client, head) => {
    client.on("error", () => {});
    const asked = { target: request.url, authorization: request.headers["proxy-authorization"] };
    proxy.asked.push(asked);
    const status = proxy.status(asked);
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const [host, port] = request.url.split(":");
    const server = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      server.write(head);
      client.pipe(server).pipe(client);
    });
    sockets.add(server);
    server.on("error", () => client.destroy());
    client.on("close", () => server.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.port = server.address().port;
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return proxy;
}
