// How the replies are sampled: the settings that the server tells of, and the visitor's own values.

import * as server from "./server.js";
import { saveSetting, setting } from "./settings.js";

const NAME = "sampling";
const OPTIONAL = ["top_k", "min_p", "repetition_penalty", "dry_multiplier"]; // not every engine knows them

/** What the page has a control for, with its range. */
export const RANGES = {
  temperature: { min: 0, max: 2, step: 0.05 },
  top_p: { min: 0.05, max: 1, step: 0.05 },
  top_k: { min: 0, max: 200, step: 1 },
  min_p: { min: 0, max: 0.5, step: 0.01 },
  repetition_penalty: { min: 1, max: 2, step: 0.01 },
  dry_multiplier: { min: 0, max: 2, step: 0.1 },
  max_new_tokens: { min: 20, max: 1020, step: 20 },
};

/** The names of the settings that this server knows, with its own values. */
export function offered() {
  const { settings = {}, honours = [] } = server.info() ?? {};
  const known = Object.keys(RANGES).filter((name) => typeof settings[name] === "number");
  const kept = known.filter((name) => !OPTIONAL.includes(name) || honours.includes(name));
  return Object.fromEntries(kept.map((name) => [name, settings[name]]));
}

/** The visitor's own values of what is offered. */
export function chosen() {
  const own = read();
  const fits = (name) => typeof own[name] === "number" && own[name] >= RANGES[name].min && own[name] <= RANGES[name].max;
  return Object.fromEntries(Object.keys(offered()).filter(fits).map((name) => [name, own[name]]));
}

/** Keep the visitor's values; those that are the server's own are not kept. */
export function choose(values) {
  const own = Object.entries(values).filter(([name, value]) => value !== offered()[name]);
  saveSetting(NAME, own.length ? JSON.stringify(Object.fromEntries(own)) : null);
}

function read() {
  try {
    return JSON.parse(setting(NAME) ?? "{}") ?? {};
  } catch {
    return {}; // written by hand: as if there were none
  }
}
