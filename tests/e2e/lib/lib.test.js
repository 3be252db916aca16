// Goal: the helpers themselves tell the truth, so that a failing end-to-end test speaks of Eilpost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startReceiver } from "./receiver.js";
import { until } from "./until.js";

test("until answers what the condition answered, and fails at its deadline", async () => {
  let asked = 0;
  assert.equal(await until(() => ++asked === 3 && "third"), "third");
  assert.equal(asked, 3);
  await assert.rejects(until(() => false, { what: "nothing", ms: 30 }), /waited 30 ms for nothing/);
  const broken = () => Promise.reject(new Error("broken"));
  await assert.rejects(until(broken), /broken/);
});

test("a receiver keeps requests and answers as told", async (t) => {
  const receiver = await startReceiver({ test: t });
  const slow = { status: 429, headers: { "retry-after": "7" }, body: "slow" };
  receiver.answer = (request) => (request.number === 2 ? { reset: true } : slow);
  const answer = await fetch(`${receiver.url}/hook?a=1`, { method: "POST", body: '{"ü":1}' });
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("retry-after"), "7");
  assert.equal(await answer.text(), "slow");
  await assert.rejects(fetch(`${receiver.url}/hook`, { method: "PUT", body: "x" }));
  const [first, second] = await receiver.waitFor(2);
  assert.deepEqual([first.method, first.target, first.body], ["POST", "/hook?a=1", '{"ü":1}']);
  assert.equal(second.method, "PUT");
  await assert.rejects(receiver.waitFor(3, 30), /request 3; there were 2/);
});
