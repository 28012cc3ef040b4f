// Conversations in the browser's storage, one key each, so that two open tabs do not overwrite each other's. Saving one
// merges what another tab has added to it.

import { salvaged } from "./shape.js";
import { conflict, merge, newId } from "./tree.js";

const PREFIX = "inosuke.conversation.";
const BACKUP = "inosuke.unreadable."; // unreadable content whose key was needed

const unkept = new Map(); // id → conversation that could not be written; it is listed, and written when there is room
const settings = new Map(); // settings that could not be written; they last as long as the page
let forbidden = false;

/** Why something is not stored: "forbidden", "full", or null. The page works without storage too. */
export const problem = () => (forbidden ? "forbidden" : unkept.size ? "full" : null);

/** Whether something would be lost if the page were closed now. */
export const wouldLose = () => unkept.size > 0;

function failed(error) {
  forbidden ||= error.name !== "QuotaExceededError";
}

let unreadable = []; // what all() could not read: ids, with the number of unreadable turns where the rest was read

/** What could not be read when the conversations were last listed; it is still in the storage. */
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
 * Save a conversation that has turns; an empty one does not belong in the list. A reply that is still growing is saved
 * only when the page is closed (`leaving`), as an interrupted one.
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
    if (!stored) backUp(one.id);
    localStorage.setItem(PREFIX + one.id, JSON.stringify({ ...one, nodes }));
    return unkept.delete(one.id) || true;
  } catch (error) {
    failed(error);
    unkept.set(one.id, one);
    return false;
  }
}

/** Write what did not fit before: there may be room again. */
function keepOthers() {
  for (const one of [...unkept.values()]) keep(one);
}

/** Back up unreadable content under another key: a newer page's, or truncated. */
function backUp(id) {
  const text = localStorage.getItem(PREFIX + id);
  if (text !== null) localStorage.setItem(`${BACKUP}${id}.${Date.now()}`, text);
}

/** Merge what another tab has written. */
export function catchUp(one) {
  const stored = read(PREFIX + one.id);
  if (!stored) return;
  const there = new Set(stored.nodes.map((node) => node.id));
  merge(one, stored);
  // Two tabs that write at the same moment do not see each other: the one that is notified adds its own turns.
  if (one.nodes.some((node) => !isGrowing(node) && !there.has(node.id))) save(one);
}

/** Save all of them or, where they do not fit, none. Returns what was saved; existing conversations are only added to. */
export function saveAll(conversations) {
  const before = new Map();
  const put = (one) => {
    const stored = read(PREFIX + one.id);
    // Another conversation with the same id, as in a file edited by hand, or an unreadable one: both are kept.
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
      localStorage.removeItem(key); // first, so that the former one has room again
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
    return null; // a setting that cannot be read counts as not set
  }
}

/** Store a setting; null removes it. */
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
    return null; // missing, foreign or truncated: it is left where it is
  }
}
