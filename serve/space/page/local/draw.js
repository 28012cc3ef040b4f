// Draws the next token from the model's likely ones: penalties, then temperature, top-k, top-p, min-p, in the server's
// order. Pure.

/** @typedef {{token: number, p: number}} Candidate the likeliest first */

// Constants of curation/repeats.py: sequences of fewer tokens may come again, and how far back they are looked for.
const BASE = 1.75;
const ALLOWED = 2;
const RANGE = 256;
const PENALTY_RANGE = 64;
// A repetition penalty r divides a score of llama.cpp's by r. wllama tells probabilities alone, which leave the scores
// unknown up to a sum, so this stands for the score of a likely token.
const LIKELY_SCORE = 20;

/** What repeating a sequence costs each next token, as `curation.repeats.repeat_penalties` has it (DRY). */
export function repeatPenalties(reply, multiplier) {
  const costs = new Map();
  if (!multiplier) return costs;
  const tail = reply.slice(-RANGE);
  const longest = new Map();
  for (let place = ALLOWED; place < tail.length; place++) {
    let length = 0;
    while (length < place && tail[place - 1 - length] === tail[tail.length - 1 - length]) length++;
    if (length >= ALLOWED) longest.set(tail[place], Math.max(length, longest.get(tail[place]) ?? 0));
  }
  for (const [token, length] of longest) costs.set(token, multiplier * BASE ** Math.min(length - ALLOWED, 50));
  return costs;
}

/**
 * @param {Candidate[]} candidates
 * @param {number[]} before the prompt's ids
 * @param {number[]} reply the reply's ids so far
 * @param {Record<string, number>} settings
 * @returns {number} the token
 */
export function draw(candidates, before, reply, settings, random = Math.random) {
  const { temperature, top_p, top_k, min_p, repetition_penalty, dry_multiplier } = settings;
  const dry = repeatPenalties(reply, dry_multiplier);
  const recent = new Set([...before.slice(-PENALTY_RANGE), ...reply].slice(-PENALTY_RANGE));
  const cost = (token) =>
    (dry.get(token) ?? 0) + (recent.has(token) ? LIKELY_SCORE * (1 - 1 / repetition_penalty) : 0);
  const scored = candidates
    .filter(({ p }) => p > 0)
    .map(({ token, p }) => ({ token, score: Math.log(p) - cost(token) }))
    .sort((a, b) => b.score - a.score);
  if (!scored.length) throw new Error("the model gives no token a probability");
  if (!temperature) return scored[0].token;
  let weighed = scored.map(({ token, score }) => ({ token, weight: Math.exp((score - scored[0].score) / temperature) }));
  if (top_k) weighed = weighed.slice(0, top_k);
  weighed = nucleus(weighed, top_p).filter(({ weight }) => weight >= min_p);
  let left = random() * total(weighed);
  return (weighed.find(({ weight }) => (left -= weight) < 0) ?? weighed[0]).token;
}

const total = (weighed) => weighed.reduce((all, { weight }) => all + weight, 0);

/** The likeliest tokens that together have the share `top_p`. */
function nucleus(weighed, top_p) {
  const all = total(weighed);
  let passed = 0;
  const end = weighed.findIndex(({ weight }) => (passed += weight) >= top_p * all);
  return end < 0 ? weighed : weighed.slice(0, end + 1);
}
