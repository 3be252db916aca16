// What nearly every test sets up by the API: a source, a destination, a webhook.

import assert from "node:assert/strict";

import { until } from "./until.js";

async function created(eilpost, resource, body) {
  const answer = await eilpost.api("POST", `/api/v1/${resource}`, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

export function createSource(eilpost, more = {}) {
  return created(eilpost, "sources", { name: "Web", environment: "production", ...more });
}

// `more` is added to the destination as it is; its request to the one that `url` makes.
export function createDestination(eilpost, url, { request = {}, ...more } = {}) {
  return created(eilpost, "destinations", {
    name: "Receiver",
    platform: "custom",
    request: { url, ...request },
    ...more,
  });
}

export function createWebhook(eilpost, destination, more = {}) {
  return created(eilpost, "webhooks", {
    name: "Webhook",
    event: "survey.submitted",
    destination: destination.id ?? destination,
    ...more,
  });
}

// The first start makes a webhook to an inbox; without it, only what a test sets up is sent.
export async function removeFirstWebhook(eilpost) {
  const { body } = await eilpost.api("GET", "/api/v1/webhooks");
  assert.equal(body.data.length, 1);
  const answer = await eilpost.api("DELETE", `/api/v1/webhooks/${body.data[0].id}`);
  assert.equal(answer.status, 204);
}

// Posts events with a source's key.
export function post(eilpost, source, body, { query = "", headers = {} } = {}) {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  return eilpost.request("POST", `/v1/events${query}`, {
    body: isRaw ? body : JSON.stringify(body),
    headers: {
      authorization: `Bearer ${source.key}`,
      "content-type": "application/json",
      ...headers,
    },
  });
}

// Posts events that must be taken; answers {accepted, duplicates}.
export async function send(eilpost, source, events, options) {
  const answer = await post(eilpost, source, events, options);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body;
}

// The deliveries that match `query` ("state=failed"), once there are `count`; newest first.
export function deliveries(eilpost, query, count = 1) {
  let found = [];
  return until(
    async () => {
      const answer = await eilpost.api("GET", `/api/v1/deliveries?${query}`);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      found = answer.body.data;
      return found.length >= count && found;
    },
    { what: () => `${count} deliveries of ${query}; there are ${JSON.stringify(found)}` },
  );
}

export async function attempts(eilpost, delivery) {
  const answer = await eilpost.api("GET", `/api/v1/deliveries/${delivery.id ?? delivery}/attempts`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.data;
}
