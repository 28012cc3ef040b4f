// How much of the model's window a conversation takes, asked of the server while the visitor types, and where the
// character's memory begins.

import { told } from "./recall.js";
import { sendableTurns } from "./chat.js";
import * as server from "./server.js";
import { sendable } from "./text.js";
import { request } from "./transport.js";
import { leaf } from "./tree.js";

/** @import { Conversation } from "./tree.js" */

const PAUSE_MS = 350;

let timer = 0;
let line = Promise.resolve(); // one question at a time
/** @type {{id: string, tokens: number, window: number, from: string | null, fallen: string[]} | null} */
let last = null;
/** @type {{conversation: () => Conversation, draft: () => string, counted: () => void}} */
let page;

/** `page` gives the conversation and the draft; `counted()` is called with each new count. */
export const listen = (what) => {
  page = what;
};

/** The last count of a conversation: tokens, window, the id of the first turn that is read, the ids of those before. */
export const of = (conversation) => (last?.id === conversation.id ? last : null);

/** Count once the visitor pauses. */
export function soon() {
  clearTimeout(timer);
  if (server.counts()) timer = setTimeout(count, PAUSE_MS);
}

/** Count now; resolves once it is counted. */
export function count() {
  clearTimeout(timer);
  if (server.counts()) line = line.then(ask);
  return line;
}

async function ask() {
  const conversation = page.conversation();
  const turns = sendableTurns(conversation, leaf(conversation)?.id ?? null);
  const draft = sendable(page.draft()).slice(0, server.limits().chars).toWellFormed();
  if (!turns.length && !draft.trim()) return forget(conversation);
  const messages = turns.map(({ role, content }) => ({ role, content }));
  const counted = await post("api/count", { messages, draft, ...told(conversation) });
  if (!counted) return;
  const { tokens, window: size, kept_from: kept, opening = 0 } = counted;
  const fallen = turns.slice(opening, kept).map(({ id }) => id);
  last = { id: conversation.id, tokens, window: size, from: fallen.length ? (turns[kept]?.id ?? null) : null, fallen };
  page.counted();
}

function forget(conversation) {
  if (last?.id === conversation.id) last = null;
  page.counted();
}

/** The answer to a question beside the conversation, or null where there is none now: the next one asks again. */
export async function post(path, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await request(path, { method: "POST", headers, body: JSON.stringify(body) });
    return response.ok ? await response.json() : null;
  } catch {
    return null; // the connection is lost; the conversation itself tells the visitor
  }
}
