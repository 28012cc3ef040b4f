// Conversations in localStorage: those of earlier versions of the page, and what could not be written to the database before
// a page was closed. `store.js` moves both into the database.

import { PLACE } from "./place.js";
import { fragment, salvaged } from "./shape.js";

/** @import { Conversation, Turn } from "./tree.js" */

const PREFIX = `${PLACE}.conversation.`;
const UNFINISHED = `${PLACE}.unfinished.`;

/**
 * What is there: `conversations` with the text and the key that each came from, and the ids that cannot be read. Raises
 * where localStorage is forbidden.
 */
export function readAll() {
  const found = /** @type {{key: string, text: string, conversation: Conversation}[]} */ ([]);
  const unreadable = [];
  for (let i = 0; i < localStorage.length; i++) {
    const key = /** @type {string} */ (localStorage.key(i));
    const old = key.startsWith(PREFIX);
    if (!old && !key.startsWith(UNFINISHED)) continue;
    const text = /** @type {string} */ (localStorage.getItem(key));
    const id = key.slice((old ? PREFIX : UNFINISHED).length).split(".")[0];
    try {
      found.push({ key, text, conversation: (old ? salvaged : fragment)({ ...JSON.parse(text), id }) });
    } catch {
      unreadable.push(id); // foreign, truncated or a newer page's: it is left where it is
    }
  }
  return { found, unreadable };
}

/** Forget what has been moved, unless a tab with an old page has written to it since. */
export function forget({ key, text }) {
  if (localStorage.getItem(key) === text) localStorage.removeItem(key);
}

/** Forget a conversation that is deleted. */
export function forgetAll(id) {
  for (const key of Object.keys(localStorage)) {
    if (key === PREFIX + id || key.startsWith(`${UNFINISHED}${id}.`)) localStorage.removeItem(key);
  }
}

/**
 * Keep the turns that are not in the database yet, at once: a page that is being closed has no time for a database. Each
 * time under a key of its own, so that two tabs do not overwrite each other's.
 * @param {Conversation} one
 * @param {Turn[]} nodes
 */
export function keepUnfinished(one, nodes) {
  localStorage.setItem(`${UNFINISHED}${one.id}.${Date.now()}`, JSON.stringify({ ...one, nodes }));
}
