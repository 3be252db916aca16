// Goal: somebody who has just installed Eilpost sees a first event arrive with what the program
// itself says, and finds everything again after a restart.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { runEilpost, startEilpost } from "./lib/eilpost.js";
import { until } from "./lib/until.js";

const run = promisify(execFile);

function lineOf(output, label) {
  const line = output.split("\n").find((each) => each.startsWith(label));
  assert.ok(line, `a line "${label}" in:\n${output}`);
  return line.slice(label.length).trim();
}

// What the inbox shows without an account; JSON unless a browser asks.
async function inboxOf(url, count) {
  return until(
    async () => {
      const answer = await fetch(url, { headers: { accept: "application/json" } });
      assert.equal(answer.status, 200);
      const { data } = await answer.json();
      return data.length >= count && data;
    },
    { what: `${count} requests in the inbox` },
  );
}

const keyIn = (command) => /key=(src_[a-z0-9]+)/.exec(command)[1];

test("what the first start prints works as it stands", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const command = lineOf(eilpost.output, "Send an event:");
  const inboxUrl = lineOf(eilpost.output, "See it arrive:");
  assert.match(lineOf(eilpost.output, "Stop:"), /Ctrl\+C/);

  const { stdout } = await run("sh", ["-c", `${command} --silent --show-error`]);
  assert.deepEqual(JSON.parse(stdout), { accepted: 1, duplicates: 0 });

  const [request] = await inboxOf(inboxUrl, 1);
  const body = JSON.parse(request.body);
  assert.equal(request.method, "POST");
  assert.equal(request.from_outside, false);
  assert.equal(body["event.type"], "survey.submitted");
  assert.equal(body.nps, 9);
  assert.equal(body["wm.euId"], "jane");
  const names = request.headers.map((header) => header.name.toLowerCase());
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    assert.ok(names.includes(name), name);
  }

  const page = await fetch(inboxUrl, { headers: { accept: "text/html,*/*" } });
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(await page.text(), /survey\.submitted/);
});

test("the printed call of the management API lists the webhook", async (t) => {
  const eilpost = await startEilpost({ test: t, apiKey: "" });
  const command = lineOf(eilpost.output, "Management API:");
  const { stdout } = await run("sh", ["-c", `${command} --silent --show-error`]);
  const { data } = JSON.parse(stdout);
  assert.equal(data.length, 1);
  assert.equal(data[0].event, "survey.submitted");
});

test("an API key that the operator chose is the only one, and is not printed", async (t) => {
  const eilpost = await startEilpost({ test: t });
  assert.doesNotMatch(eilpost.output, /eil_/);
  const command = lineOf(eilpost.output, "Management API:");
  const env = { ...process.env, EILPOST_BOOTSTRAP_API_KEY: eilpost.apiKey };
  const { stdout } = await run("sh", ["-c", `${command} --silent --show-error`], { env });
  assert.equal(JSON.parse(stdout).data.length, 1);
  const keys = await eilpost.api("GET", "/api/v1/api-keys");
  assert.equal(keys.body.data.length, 1);
});

test("send and tail work from the command line", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const key = keyIn(eilpost.output);
  let tail = null;
  const tailed = runEilpost(["tail", "--json"], {
    cwd: eilpost.folder,
    env: { EILPOST_URL: eilpost.url, EILPOST_API_KEY: eilpost.apiKey },
    onStart: (child, result) => (tail = { child, result }),
  });
  t.after(() => tail.child.kill("SIGKILL"));

  // When the stream begins is not seen from outside: send until something comes.
  let sent = 0;
  await until(
    async () => {
      sent += 1;
      const answer = await eilpost.run(
        ...["send", "--key", key, "--type", "survey.submitted", "--id", `cli-${sent}`],
        ...["--user", "jane", "--data", '{"nps":10}'],
      );
      assert.equal(answer.code, 0, answer.stderr);
      assert.match(answer.stdout, /^202 \{"accepted":1,"duplicates":0\}/);
      return tail.result.stdout.includes('"state":"delivered"');
    },
    { what: () => `a line of tail; it printed ${tail.result.stdout}${tail.result.stderr}` },
  );
  const lines = tail.result.stdout.trim().split("\n").map((line) => JSON.parse(line));
  const event = lines.find((line) => line.type === "survey.submitted");
  assert.equal(event.user, "jane");
  assert.match(event.id, /^cli-\d+$/);
  tail.child.kill("SIGINT");
  await tailed;

  const refused = await eilpost.run("send", "--key", "src_wrong", "--type", "survey.submitted");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^401 .*unauthorized/);
  const unknown = await eilpost.run("send", "--key", key, "--type", "no.such");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^422 /);
});

test("SIGTERM ends with 0, and a second start keeps everything and greets nobody", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const key = keyIn(eilpost.output);
  const inboxPath = new URL(lineOf(eilpost.output, "See it arrive:")).pathname;
  const sent = await eilpost.run("send", "--key", key, "--type", "survey.submitted", "--id", "one");
  assert.equal(sent.code, 0, sent.stderr);
  const settled = async () => {
    const answer = await eilpost.api("GET", "/api/v1/deliveries?state=delivered");
    return answer.body.data.length === 1 && answer.body.data[0];
  };
  const before = await until(settled, { what: "the delivery in the log" });
  const webhooksBefore = (await eilpost.api("GET", "/api/v1/webhooks")).body;
  const destinationsBefore = (await eilpost.api("GET", "/api/v1/destinations")).body;

  assert.equal(await eilpost.stop(), 0);
  await eilpost.start();

  assert.equal(eilpost.output, "");
  assert.deepEqual((await eilpost.api("GET", "/api/v1/webhooks")).body, webhooksBefore);
  assert.deepEqual(
    (await eilpost.api("GET", "/api/v1/destinations")).body.data.map((each) => each.id),
    destinationsBefore.data.map((each) => each.id),
  );
  const after = await until(settled, { what: "the delivery in the log after the restart" });
  assert.deepEqual(after, before);
  const again = await eilpost.run(
    ...["send", "--key", key, "--type", "survey.submitted", "--id", "two"],
  );
  assert.equal(again.code, 0, again.stderr);
  const requests = await inboxOf(eilpost.url + inboxPath, 1);
  assert.equal(JSON.parse(requests[0].body)["event.id"], "two");
});

test("two servers do not share a data folder", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const second = await eilpost.run(
    ...["serve", "--data", eilpost.options.data, "--listen", "127.0.0.1:0"],
  );
  assert.equal(second.code, 1);
  assert.match(second.stderr, /Another process uses this data folder/);
  assert.ok(second.stderr.includes(eilpost.options.data), second.stderr);
  assert.equal((await fetch(`${eilpost.url}/readyz`)).status, 200);
});

test("two servers do not share a port", async (t) => {
  const eilpost = await startEilpost({ test: t });
  const second = await eilpost.run(
    ...["serve", "--data", `${eilpost.folder}/other`, "--listen", new URL(eilpost.url).host],
  );
  assert.equal(second.code, 1);
  assert.match(second.stderr, /Address already in use/);
});

test("/readyz says 503 before the end, while events are still taken", async (t) => {
  const eilpost = await startEilpost({ test: t, env: { EILPOST_SHUTDOWN_DELAY_MS: "1500" } });
  const key = keyIn(eilpost.output);
  const stopped = eilpost.stop();
  const isUnready = async () => (await fetch(`${eilpost.url}/readyz`)).status === 503;
  await until(isUnready, { what: "/readyz says 503" });
  const sent = await eilpost.run("send", "--key", key, "--type", "survey.submitted");
  assert.equal(sent.code, 0, sent.stderr);
  assert.equal(await stopped, 0);
});
