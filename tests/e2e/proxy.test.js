// Goal: with --proxy every destination is reached through it and through nothing else, under the
// same rules, and its password is shown to nobody but it.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startHttp2Receiver } from "./lib/http2_receiver.js";
import { makeAuthority } from "./lib/nginx.js";
import { startProxy } from "./lib/proxy.js";
import { startReceiver } from "./lib/receiver.js";
import {
  attempts, createDestination, createSource, createWebhook, deliveries, removeFirstWebhook, send,
} from "./lib/setup.js";

const survey = (id) => ({ id, type: "survey.submitted", subject: "jane", data: { nps: 9 } });
const never = { retry: { delays_ms: [3_600_000], jitter: 0 } };

test("https and http go through the proxy to the checked address", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-proxy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const authority = await makeAuthority(folder);
  const identity = await authority.issue("good", "localhost");
  const secure = await startHttp2Receiver({ test: t, identity });
  const plain = await startReceiver({ test: t });
  const proxy = await startProxy({ test: t });
  const eilpost = await startEilpost({
    test: t,
    env: {
      SSL_CERT_FILE: authority.root,
      EILPOST_PROXY: `http://ann:hunter2%21@127.0.0.1:${proxy.port}`,
      EILPOST_LOG_LEVEL: "debug",
    },
  });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  for (const url of [secure.url, plain.url, "http://10.1.2.3/blocked"]) {
    await createWebhook(eilpost, await createDestination(eilpost, url, { delivery: never }));
  }
  await send(eilpost, source, survey("one"));
  await secure.waitFor(1);
  await plain.waitFor(1);
  await deliveries(eilpost, "state=delivered", 2);
  const [blocked] = await deliveries(eilpost, "state=retrying");
  const [attempt] = await attempts(eilpost, blocked);
  assert.equal(attempt.outcome, "blocked_address");

  const targets = proxy.asked.map(({ target }) => target).sort();
  const expected = [secure.url, plain.url].map((url) => `127.0.0.1:${new URL(url).port}`).sort();
  assert.deepEqual(targets, expected);
  for (const { authorization } of proxy.asked) {
    const [kind, credentials] = authorization.split(" ");
    assert.equal(kind, "Basic");
    assert.equal(Buffer.from(credentials, "base64").toString(), "ann:hunter2!");
  }

  await send(eilpost, source, survey("two"));
  await plain.waitFor(2);
  assert.equal(await eilpost.stop(), 0);
  const files = await readdir(eilpost.options.data, { recursive: true, withFileTypes: true });
  const texts = [eilpost.log];
  for (const file of files.filter((entry) => entry.isFile())) {
    texts.push(await readFile(path.join(file.path ?? file.parentPath, file.name), "latin1"));
  }
  for (const text of texts) {
    for (const secret of ["hunter2", Buffer.from("ann:hunter2!").toString("base64")]) {
      assert.ok(!text.includes(secret));
    }
  }
});

test("an outcome says that it was the proxy that refused", async (t) => {
  const receiver = await startReceiver({ test: t });
  const proxy = await startProxy({ test: t });
  proxy.status = () => 407;
  const eilpost = await startEilpost({
    test: t,
    env: { EILPOST_PROXY: `http://127.0.0.1:${proxy.port}` },
  });
  await removeFirstWebhook(eilpost);
  const source = await createSource(eilpost);
  await createWebhook(eilpost, await createDestination(eilpost, receiver.url, { delivery: never }));
  await send(eilpost, source, survey("one"));
  const [delivery] = await deliveries(eilpost, "state=retrying");
  const [attempt] = await attempts(eilpost, delivery);
  assert.equal(attempt.outcome, "connect");
  assert.equal(attempt.perhaps_delivered, false);
  assert.match(attempt.detail, /The proxy http:\/\/127\.0\.0\.1:\d+ answered 407/);
  assert.equal(receiver.requests.length, 0);
});

test("a proxy that is none is refused at the start, without its password in the message", async (t) => {
  await assert.rejects(
    startEilpost({ test: t, env: { EILPOST_PROXY: "https://ann:hunter2@proxy.example" } }),
    (error) => {
      assert.match(error.message, /EILPOST_PROXY is not a proxy: it must be http:/);
      assert.ok(!error.message.includes("hunter2"));
      return true;
    },
  );
});
