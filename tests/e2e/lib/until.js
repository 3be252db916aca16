// Waiting for a condition with a deadline: the only waiting there is in these tests.

import { setTimeout as pause } from "node:timers/promises";

const PAUSE_MS = 20;

// Asks `condition` until it answers something true, and answers that. What it throws ends the
// waiting. `what` (text or function) says in the failure what was waited for.
export async function until(condition, { what = "a condition", ms = 10_000 } = {}) {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) {
      throw new Error(`waited ${ms} ms for ${typeof what === "function" ? what() : what}`);
    }
    await pause(PAUSE_MS);
  }
}
