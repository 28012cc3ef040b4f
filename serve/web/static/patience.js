// Waits for a busy server by itself: as long as the server asks for, a limited number of times, until the visitor calls it
// off. Knows nothing of the page.

const BUSY = ["busy", "too_many_requests"];
const MOST = 20; // times in a row
const USUAL_S = 5; // where the server names no time
const LONGEST_S = 120;

/** @type {Map<string, {times: number, at: number, timer: number}>} */
const waiting = new Map(); // conversation id → how often, until when

/** How many seconds a conversation still waits, or null where it does not. */
export function left(id) {
  const one = waiting.get(id);
  return one?.timer ? Math.max(0, Math.ceil((one.at - Date.now()) / 1000)) : null;
}

/** Wait, if that may help, and call `retry`. Some hundredths more, so that not all visitors come back at once. */
export function wait(id, error, retry) {
  const times = (waiting.get(id)?.times ?? 0) + 1;
  if (!BUSY.includes(error.code) || times > MOST) return end(id);
  const ms = Math.min(error.retryAfter || USUAL_S, LONGEST_S) * 1000 * (1 + Math.random() / 10);
  const timer = setTimeout(() => {
    pause(id);
    retry();
  }, ms);
  waiting.set(id, { times, at: Date.now() + ms, timer });
}

/** The question is asked now; how often it was is remembered. */
export function pause(id) {
  const one = waiting.get(id);
  if (!one) return;
  clearTimeout(one.timer);
  one.timer = 0;
}

export function end(id) {
  pause(id);
  waiting.delete(id);
}
