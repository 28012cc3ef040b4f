// Conversations in the browser's storage, one key each, so that two open tabs do not overwrite each other's. Saving
// brings in what another tab has added to the same one.

import { salvaged } from "./shape.js";
import { conflict, merge, newId } from "./tree.js";

const PREFIX = "inosuke.conversation.";
const ASIDE = "inosuke.unreadable."; // what could not be read where something else had to be written

const unkept = new Map(); // id → conversation that could not be written; it is listed, and written once there is room
const settings = new Map(); // what could not be written of them, for as long as the page is there
let forbidden = false;

/** Where storage is forbidden or full the page goes on. Why something is not kept: "forbidden", "full", or null. */
export const problem = () => (forbidden ? "forbidden" : unkept.size ? "full" : null);

/** Whether something would be gone if the page were closed now. */
export const wouldLose = () => unkept.size > 0;

function failed(error) {
  forbidden ||= error.name !== "QuotaExceededError";
}

let unreadable = []; // what all() could not read: ids, and of conversations that are read in part the number of turns, too

/** What could not be read when the conversations were last looked through; it is still where it was. */
export const unread = () => unreadable;

export function all() {
  const found = [];
  unreadable = [];
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const key = /** @type {string} */ (localStorage.key(i));
      if (!key.startsWith(PREFIX)) continue;
      const one = read(key);
      if (one) found.push(one);
      if (!one) unreadable.push(key.slice(PREFIX.length));
      else if (one.damaged) unreadable.push(`${one.id}:${one.damaged.length}`);
    }
  } catch (error) {
    failed(error);
  }
  const here = [...unkept.values()].map((one) => ({ ...one, nodes: settled(one) }));
  return [...found.filter((one) => !unkept.has(one.id)), ...here].sort((a, b) => b.updated - a.updated);
}

/**
 * Save a conversation that has turns; an empty one is not worth a place in the list. A reply that is still growing is
 * kept only when the page goes away (`leaving`), as one that broke off.
 */
export function save(one, leaving = false) {
  if (keep(one, leaving)) keepOthers();
}

/** Write a conversation, or remember that it is not kept. */
function keep(one, leaving = false) {
  const stored = read(PREFIX + one.id);
  if (stored) merge(one, stored);
  const nodes = settled(one);
  const cut = one.nodes.filter((node) => leaving && isGrowing(node) && node.content.trim());
  nodes.push(...cut.map(({ place, ...node }) => ({ ...node, state: "broken" })));
  if (!nodes.length) return true;
  try {
    if (!stored) putAside(one.id);
    localStorage.setItem(PREFIX + one.id, JSON.stringify({ ...one, nodes }));
    return unkept.delete(one.id) || true;
  } catch (error) {
    failed(error);
    unkept.set(one.id, one);
    return false;
  }
}

/** There may be room again: write what was not kept. */
function keepOthers() {
  for (const one of [...unkept.values()]) keep(one);
}

/** Make room where something stands that cannot be read: a newer page's, or one that was cut short. */
function putAside(id) {
  const text = localStorage.getItem(PREFIX + id);
  if (text !== null) localStorage.setItem(`${ASIDE}${id}.${Date.now()}`, text);
}

/** Take in what another tab has written. */
export function catchUp(one) {
  const stored = read(PREFIX + one.id);
  if (!stored) return;
  const there = new Set(stored.nodes.map((node) => node.id));
  merge(one, stored);
  // Two tabs that write at the same moment do not see each other: the one that is told of the other's adds its own.
  if (one.nodes.some((node) => !isGrowing(node) && !there.has(node.id))) save(one);
}

/** Save all of them or, where they do not fit, none. Returns what went in; what was there already is only added to. */
export function saveAll(conversations) {
  const before = new Map();
  const put = (one) => {
    const stored = read(PREFIX + one.id);
    // Somebody else's conversation under an id of ours, as in a file edited by hand, or one that cannot be read: both stay.
    const taken = stored ? conflict(stored, one) : localStorage.getItem(PREFIX + one.id) !== null;
    const kept = taken ? { ...one, id: newId() } : stored ? merge(stored, one) : one;
    const key = PREFIX + kept.id;
    if (!before.has(key)) before.set(key, localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify(kept));
    return kept;
  };
  try {
    return conversations.map(put);
  } catch (error) {
    for (const [key, text] of before) {
      localStorage.removeItem(key); // first, so that the one before has room again
      if (text !== null) localStorage.setItem(key, text);
    }
    throw error;
  }
}

export function remove(id) {
  unkept.delete(id);
  try {
    localStorage.removeItem(PREFIX + id);
  } catch (error) {
    failed(error);
  }
  keepOthers();
}

export function setting(name) {
  if (settings.has(name)) return settings.get(name);
  try {
    return localStorage.getItem(`inosuke.${name}`);
  } catch {
    return null; // a setting that cannot be read is one that was never made
  }
}

/** Keep a setting; null forgets it. */
export function saveSetting(name, value) {
  settings.delete(name);
  try {
    if (value === null) localStorage.removeItem(`inosuke.${name}`);
    else localStorage.setItem(`inosuke.${name}`, value);
  } catch (error) {
    failed(error);
    settings.set(name, value);
  }
}

/** Call back when another tab has changed a conversation. */
export function watch(callback) {
  addEventListener("storage", (event) => {
    if (event.key !== null && !event.key.startsWith(PREFIX)) return;
    keepOthers();
    callback();
  });
}

const isGrowing = (node) => node.state === "thinking";
const settled = (one) => one.nodes.filter((node) => !isGrowing(node));

function read(key) {
  try {
    return salvaged({ ...JSON.parse(/** @type {string} */ (localStorage.getItem(key))), id: key.slice(PREFIX.length) });
  } catch {
    return null; // not there, not ours, or cut short: it is left where it is
  }
}
