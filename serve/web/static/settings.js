// Small settings and drafts, in localStorage: they are read before the first paint and written with each keystroke.

import { PLACE } from "./place.js";

const SHARED = ["theme", "language"]; // by all characters of a server
const unkept = new Map(); // settings that could not be written; they last as long as the page
let refused = false;

/** Whether this browser refuses to store settings for the page. */
export const forbidden = () => refused;

const key = (name) => `${SHARED.includes(name) ? "inosuke" : PLACE}.${name}`;

export function setting(name) {
  if (unkept.has(name)) return unkept.get(name);
  try {
    return localStorage.getItem(key(name));
  } catch {
    return null; // a setting that cannot be read counts as not set
  }
}

/** Store a setting; null removes it. */
export function saveSetting(name, value) {
  unkept.delete(name);
  try {
    if (value === null) localStorage.removeItem(key(name));
    else localStorage.setItem(key(name), value);
  } catch (error) {
    refused ||= /** @type {Error} */ (error).name !== "QuotaExceededError";
    unkept.set(name, value);
  }
}
