// Starts the program as a customer would, on a free port and in a folder of its own, and stops it.
//
//   const eilpost = await startEilpost();
//   const answer = await eilpost.api("POST", "/api/v1/sources", { name: "web" });
//   await eilpost.stop();
//
// EILPOST_BINARY names the program; build/release/eilpost unless set.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { until } from "./until.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const binary = path.resolve(root, process.env.EILPOST_BINARY ?? "build/release/eilpost");

const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 30_000;
const RUN_MS_MAX = 20_000;
const LOG_CHARACTERS_MAX = 1_000_000;

// A port that nobody listens on. Needed only to restart at the same address; otherwise the program
// is given port 0 and says in its log which one it got.
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

class Eilpost {
  constructor(options) {
    this.options = options;
    this.apiKey = options.apiKey;
    this.folder = path.dirname(options.data);
    this.log = "";
    this.output = ""; // of stdout alone, since the last start
    this.child = null;
    this.url = null;
  }

  get running() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  // Starts the program on its data folder; used again after stop() or kill(), it starts it anew.
  async start() {
    const { data, host, port, allow, env, args } = this.options;
    this.log = "";
    this.output = "";
    this.url = null;
    this.child = spawn(binary, ["serve", "--data", data, "--listen", `${host}:${port}`, ...args], {
      cwd: this.folder,
      env: {
        ...plainEnvironment(this.folder),
        ...(this.apiKey ? { EILPOST_BOOTSTRAP_API_KEY: this.apiKey } : {}),
        EILPOST_ALLOW_DESTINATIONS: allow,
        EILPOST_SHUTDOWN_DELAY_MS: "0",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let failure = null;
    this.child.on("error", (error) => (failure = error));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => (this.log = (this.log + text).slice(-LOG_CHARACTERS_MAX)));
    }
    this.child.stdout.on("data", (text) => (this.output += text));
    await until(
      async () => {
        if (failure) throw new Error(`${binary} could not be started: ${failure.message}`);
        if (!this.running) throw new Error(`${binary} ended before it was ready:\n${this.log}`);
        this.url = port === 0 ? addressIn(this.log) : `http://${host}:${port}`;
        if (this.url === null) return false;
        const answer = await fetch(`${this.url}/readyz`).catch(() => null);
        return answer !== null && answer.ok;
      },
      { what: () => `${binary} to be ready; its log:\n${this.log}`, ms: READY_MS_MAX },
    );
    return this;
  }

  // SIGTERM: drains and exits. Answers the exit code.
  async stop() {
    return this.end("SIGTERM");
  }

  // kill -9: what a crash does.
  async kill() {
    return this.end("SIGKILL");
  }

  async end(signal) {
    if (!this.running) return this.child?.exitCode ?? null;
    const ended = once(this.child, "close");
    this.child.kill(signal);
    const tooLong = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS_MAX);
    const [code] = await ended;
    clearTimeout(tooLong);
    return code;
  }

  // Stops the program for good and removes its folder. Safe to call twice.
  async dispose() {
    await this.end("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }

  // Runs another command of the program to its end: {code, stdout, stderr}.
  async run(...args) {
    return runEilpost(args, { cwd: this.folder, env: { EILPOST_URL: this.url } });
  }

  // One call of the management API: {status, headers, body}, the body parsed if it is JSON.
  async api(method, target, body, headers = {}) {
    return this.request(method, target, {
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
  }

  // Any request, as it is.
  async request(method, target, { body, headers = {} } = {}) {
    const answer = await fetch(this.url + target, { method, headers, body, redirect: "manual" });
    const text = await answer.text();
    const isJson = /[/+]json\b/.test(answer.headers.get("content-type") ?? "");
    const value = isJson && text ? JSON.parse(text) : text;
    return { status: answer.status, headers: answer.headers, body: value };
  }
}

// Nothing of the caller's own EILPOST_ variables reaches the program.
function plainEnvironment(folder) {
  return { PATH: process.env.PATH, HOME: folder };
}

// Runs any command of the program to its end: {code, stdout, stderr}. `child` is given to
// `onStart`, for what does not end by itself.
export async function runEilpost(args, { cwd = os.tmpdir(), env = {}, onStart = () => {} } = {}) {
  const child = spawn(binary, args, {
    cwd,
    env: { ...plainEnvironment(cwd), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = { code: null, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text) => (result[name] += text));
  }
  const tooLong = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const ended = once(child, "close");
  onStart(child, result);
  [result.code] = await ended;
  clearTimeout(tooLong);
  return result;
}

// The address that the program's log says it listens on; null as long as it does not.
function addressIn(log) {
  const found = /\bListening on (http:\/\/[^\s/]+:[1-9]\d*)\s/.exec(log);
  return found ? found[1] : null;
}

// Starts a fresh Eilpost. `test` (node:test's context) disposes of it at the test's end.
export async function startEilpost({ test, port = 0, env = {}, args = [], ...rest } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "eilpost-e2e-"));
  const eilpost = new Eilpost({
    data: path.join(folder, "data"),
    host: "127.0.0.1",
    port,
    allow: rest.allow ?? "127.0.0.0/8,::1/128",
    apiKey: rest.apiKey ?? "eil_end_to_end_tests_only",
    env,
    args,
  });
  test?.after(() => eilpost.dispose());
  try {
    return await eilpost.start();
  } catch (error) {
    await eilpost.dispose();
    throw error;
  }
}
