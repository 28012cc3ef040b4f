// Waits for the server to answer again: polls /readyz, less and less often, and at once when the browser is online again.
// Not /healthz: a server that is still loading its model is healthy and cannot answer.

import { request } from "./transport.js";

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

/** @type {{delay: number, timer: number, back: () => void} | null} */
let waiting = null;

export const isWaiting = () => waiting !== null;

/** Call `back` once when the server answers; a second call before that changes nothing. */
export function whenBack(back) {
  if (waiting) return;
  waiting = { delay: FIRST_MS, timer: setTimeout(look, FIRST_MS), back };
}

async function look() {
  const asked = waiting;
  if (!asked) return;
  let there = false;
  try {
    there = (await request("readyz", { cache: "no-store" })).ok;
  } catch {
    // still away, which is the question here
  }
  if (there) {
    waiting = null;
    asked.back();
    return;
  }
  asked.delay = Math.min(asked.delay * 2, LONGEST_MS);
  asked.timer = setTimeout(look, asked.delay);
}

addEventListener("online", () => {
  if (!waiting) return;
  clearTimeout(waiting.timer);
  look();
});
