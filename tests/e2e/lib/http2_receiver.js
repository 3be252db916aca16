// A third party's server of HTTP/2, Node's own: keeps every request and does with each stream what
// it is told.
//
//   const receiver = await startHttp2Receiver({ test, identity: await authority.issue(...) });
//   receiver.answer = (stream, request) => stream.close(constants.NGHTTP2_REFUSED_STREAM);

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createSecureServer } from "node:http2";

import { until } from "./until.js";

export function answerWith(stream, status = 204, body = "") {
  stream.respond({ ":status": status });
  stream.end(body);
}

// `identity`: {chain, key}, files. `settings`: HTTP/2's.
export async function startHttp2Receiver({ test, identity, settings = {} }) {
  const receiver = { requests: [], sessions: [], answer: (stream) => answerWith(stream) };
  const server = createSecureServer({
    key: await readFile(identity.key),
    cert: await readFile(identity.chain),
    settings,
  });
  server.on("session", (session) => {
    receiver.sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", async (stream, headers) => {
    stream.on("error", () => {});
    const request = {
      session: receiver.sessions.indexOf(stream.session) + 1,
      stream: stream.id,
      headers,
      body: "",
    };
    const wanted = receiver.reads?.(stream, request) ?? true;
    if (wanted) {
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      request.body = Buffer.concat(chunks).toString("utf8");
    }
    request.number = receiver.requests.push(request);
    await receiver.answer(stream, request);
  });
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `https://localhost:${server.address().port}`;
  receiver.waitFor = (count, ms = 10_000) =>
    until(() => receiver.requests.length >= count && receiver.requests, {
      what: () => `request ${count}; there were ${receiver.requests.length}`,
      ms,
    });
  test.after(async () => {
    for (const session of receiver.sessions) session.destroy();
    server.close();
  });
  return receiver;
}
