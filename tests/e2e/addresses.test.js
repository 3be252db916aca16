// Goal: no destination reaches what its owner must not reach, however the address is dressed up.
// Method: a receiver on loopback stands for an internal service; the program runs without, or with a
// narrow, list of allowed addresses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startEilpost } from "./lib/eilpost.js";
import { startReceiver } from "./lib/receiver.js";
import { createDestination } from "./lib/setup.js";

async function testSend(eilpost, url) {
  const destination = await createDestination(eilpost, url);
  const answer = await eilpost.api("POST", `/api/v1/destinations/${destination.id}/test`, {});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

test("internal addresses are blocked, whatever leads there", async (t) => {
  const internal = await startReceiver({ test: t });
  const { port } = new URL(internal.url);
  const eilpost = await startEilpost({ test: t, allow: "" });
  const hosts = [
    "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]",
    "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1", "192.168.1.1",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "224.0.0.1",
  ];
  for (const host of hosts) {
    const outcome = await testSend(eilpost, `http://${host}:${port}/`);
    assert.equal(outcome.outcome, "blocked_address", `${host}: ${JSON.stringify(outcome)}`);
    assert.match(outcome.detail, / address/, host);
  }
  assert.equal(internal.requests.length, 0);
});

test("hosts in other clothes and user information are refused on saving", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const urls = [
    "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://0x7f000001/",
    "http://127.1/", "http://user:pass@127.0.0.1/", "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/", "http://ex%61mple.com/", "gopher://127.0.0.1/",
    "file:///etc/passwd", "http://127.0.0.1:80:80/", "http://①②⑦.⓪.⓪.①/",
  ];
  for (const url of urls) {
    const answer = await eilpost.api("POST", "/api/v1/destinations", {
      name: "A", platform: "custom", request: { url },
    });
    assert.equal(answer.status, 422, url);
    assert.equal(answer.body.errors[0].pointer, "/request/url", url);
  }
});

test("the list of allowed addresses admits what it names and nothing beside it", async (t) => {
  const receiver = await startReceiver({ test: t });
  const { port } = new URL(receiver.url);
  const eilpost = await startEilpost({ test: t, allow: "127.0.0.1/32" });
  assert.equal((await testSend(eilpost, `http://127.0.0.1:${port}/`)).status, 204);
  assert.equal((await testSend(eilpost, `http://[::ffff:127.0.0.1]:${port}/`)).outcome, "answered");
  for (const host of ["127.0.0.2", "[::1]", "10.0.0.1"]) {
    const outcome = await testSend(eilpost, `http://${host}:${port}/`);
    assert.equal(outcome.outcome, "blocked_address", host);
  }
  // Of a name with several addresses, the admitted one is used.
  assert.equal((await testSend(eilpost, `http://localhost:${port}/`)).status, 204);
});

test("a redirect is an answer, not a way", async (t) => {
  const internal = await startReceiver({ test: t });
  const receiver = await startReceiver({ test: t });
  receiver.answer = () => ({ status: 307, headers: { location: `${internal.url}/secret` } });
  const eilpost = await startEilpost({ test: t });
  const outcome = await testSend(eilpost, receiver.url);
  assert.equal(outcome.status, 307);
  assert.equal(outcome.success, false);
  assert.equal(internal.requests.length, 0);
});
