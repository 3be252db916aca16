// A third party's server: keeps every request it gets and answers as it is told.
//
//   const receiver = await startReceiver({ test });
//   receiver.answer = (request) => ({ status: request.number === 1 ? 500 : 204 });
//   const [first] = await receiver.waitFor(1);

import { once } from "node:events";
import { createServer } from "node:http";

import { until } from "./until.js";

export async function startReceiver({ test } = {}) {
  const receiver = { requests: [], answer: () => ({ status: 204 }) };
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = {
      number: receiver.requests.length + 1,
      method: incoming.method,
      target: incoming.url,
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body: Buffer.concat(chunks).toString("utf8"),
    };
    receiver.requests.push(request);
    const { status, headers = {}, body = "", reset = false } = await receiver.answer(request);
    if (reset) {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${server.address().port}`;
  receiver.waitFor = (count, ms = 10_000) =>
    until(() => receiver.requests.length >= count && receiver.requests, {
      what: () => `request ${count}; there were ${receiver.requests.length}`,
      ms,
    });
  receiver.close = async () => {
    server.closeAllConnections();
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
  };
  test?.after(() => receiver.close());
  return receiver;
}
