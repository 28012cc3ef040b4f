// Conversations in the browser's database. The list is in memory; a conversation is read when it is opened. Saving writes
// the turns that changed and nothing else, and merges what another tab has written since.

import { inOne, open, result, turnsOf } from "./database.js";
import * as legacy from "./legacy.js";
import { PLACE } from "./place.js";
import { heading, put, read } from "./records.js";
import { forbidden as settingsForbidden } from "./settings.js";
import { conflict, merge, newId } from "./tree.js";

/**
 * @import { Heading } from "./records.js"
 * @import { Conversation, Turn } from "./tree.js"
 */

/** @type {IDBDatabase | null} */
let database = null;
let forbidden = false;
let unreadable = /** @type {string[]} */ ([]); // ids in localStorage
/** @type {Map<string, Heading>} */
const headings = new Map(); // the list
/** @type {Map<string, {conversation: Conversation, turns: Map<Turn, number>, saves: number}>} */
const pending = new Map(); // by id: what is not written yet, each turn with the number of the save that brought it
const unkept = new Set(); // ids of `pending` whose writing failed; they are written when there is room
let writing = Promise.resolve();
/** @type {Promise<Map<string, Turn[]>> | null} */
let texts = null; // all turns, while the visitor searches

const tabs = new BroadcastChannel(PLACE);
/** @type {{changed(id: string, turns: string[]): void, deleted(id: string): void, drawn(): void}} */
let told = { changed() {}, deleted() {}, drawn() {} };

/** Why something is not stored: "forbidden", "full", or null. The page works without storage too. */
export const problem = () => (forbidden || settingsForbidden() ? "forbidden" : unkept.size ? "full" : null);

/** Whether something would be lost if the page were closed now. */
export const wouldLose = () => unkept.size > 0;

/** What could not be read: ids, with the number of unreadable turns where the rest was read. It stays in the storage. */
export const unread = () => [
  ...unreadable,
  ...[...headings.values()].filter((one) => one.damaged).map((one) => `${one.id}:${one.damaged?.length}`),
];

/** Resolves once everything that was saved is written, or has failed to be. */
export const written = () => writing;

/** The conversations without their turns, the last one first. */
export const list = () => [...headings.values()].sort((a, b) => b.updated - a.updated);

/** Open the database and move into it what earlier versions of the page have in localStorage. */
export async function start() {
  try {
    database = await open();
    const found = await inOne(database, "readonly", ({ conversations }) => result(conversations.getAll()));
    for (const one of found) headings.set(one.id, one);
  } catch {
    forbidden = true;
  }
  await migrate();
}

async function migrate() {
  try {
    const { found, unreadable: left } = legacy.readAll();
    unreadable = left;
    for (const one of found) await moveIn(one);
  } catch (error) {
    failed(error);
  }
}

/** Move one in: it is removed from localStorage only once it is in the database. */
async function moveIn(one) {
  const { conversation } = one;
  try {
    const kept = await moved(conversation);
    if (kept) headings.set(conversation.id, kept);
    legacy.forget(one);
  } catch (error) {
    failed(error);
    if (!headings.has(conversation.id)) {
      pending.set(conversation.id, { conversation, turns: new Map(conversation.nodes.map((node) => [node, 1])), saves: 1 });
      headings.set(conversation.id, heading(conversation));
    }
    if (!forbidden) unkept.add(conversation.id); // reported, and written when there is room
  }
}

async function moved(conversation) {
  if (!database) throw new DOMException("no database", "SecurityError");
  return inOne(database, "readwrite", async (stores) => {
    const gone = await result(stores.deleted.get(conversation.id));
    if (gone && gone.time >= conversation.updated) return null; // an old tab, or one that was closed, did not hear of it
    if (gone) stores.deleted.delete(conversation.id);
    return put(stores, conversation, conversation.nodes);
  });
}

/** The whole conversation, or null where there is none (any more). */
export async function load(id) {
  const waiting = pending.get(id);
  if (waiting || !database) return waiting?.conversation ?? null;
  await writing;
  return inOne(database, "readonly", (stores) => read(stores, id));
}

/** All conversations with their turns, the last one first. */
export async function loadAll() {
  const found = await Promise.all(list().map(({ id }) => load(id)));
  return found.filter((one) => one !== null);
}

/**
 * Save a conversation and those of its turns that have changed. An empty conversation does not belong in the list.
 * @param {Conversation} one
 * @param {Turn[]} turns
 */
export function save(one, turns = []) {
  if (!one.nodes.some((node) => !isGrowing(node))) return;
  const waiting = pending.get(one.id) ?? { conversation: one, turns: new Map(), saves: 0 };
  waiting.saves += 1;
  for (const turn of turns) waiting.turns.set(turn, waiting.saves);
  pending.set(one.id, waiting);
  headings.set(one.id, heading(one));
  if (!database) unkept.add(one.id);
  writeAll();
}

/** Write everything that waits; there may be room for what did not fit before. */
function writeAll() {
  texts = null;
  writing = writing.then(async () => {
    for (const id of [...pending.keys()]) await write(id);
  });
}

async function write(id) {
  const waiting = pending.get(id);
  if (!waiting || !database) return;
  const { conversation, saves } = waiting;
  const turns = finished(waiting);
  try {
    const kept = await inOne(database, "readwrite", async (stores) => {
      if (await result(stores.deleted.get(id))) return null;
      return put(stores, conversation, turns);
    });
    if (unkept.delete(id)) told.drawn();
    if (!kept) return wasDeleted(id);
    // What was saved while this was being written is written once more: that save has queued its own write.
    for (const turn of turns) if ((waiting.turns.get(turn) ?? 0) <= saves) waiting.turns.delete(turn);
    if (waiting.saves === saves && finished(waiting).length === 0) pending.delete(id);
    tabs.postMessage({ changed: id, turns: turns.map((turn) => turn.id) });
  } catch (error) {
    failed(error);
    unkept.add(id);
    told.drawn();
  }
}

const finished = (waiting) => [...waiting.turns.keys()].filter((turn) => !isGrowing(turn));

/**
 * Merge what another tab has written; without `turns`, all of it.
 * @param {Conversation} one
 * @param {string[] | null} turns
 */
export async function catchUp(one, turns = null) {
  if (!database) return;
  const theirs = await inOne(database, "readonly", async (stores) => {
    const there = await result(stores.conversations.get(one.id));
    if (!there || !turns) return there && read(stores, one.id);
    const nodes = await Promise.all(turns.map((id) => result(stores.turns.get([one.id, id]))));
    const known = new Set([null, ...one.nodes.map(({ id }) => id), ...turns]);
    return nodes.every((node) => node && known.has(node.parent)) ? { ...there, nodes } : read(stores, one.id);
  });
  if (!theirs) return;
  merge(one, { ...theirs, nodes: theirs.nodes.map(({ conversation, ...node }) => node) });
}

/** Save all of them or, where they do not fit, none. Returns what was saved; existing conversations are only added to. */
export async function saveAll(conversations) {
  if (!database) throw new DOMException("no database", "SecurityError");
  await writing;
  const saved = await inOne(database, "readwrite", async (stores) => {
    const kept = [];
    for (const one of conversations) {
      const stored = await read(stores, one.id);
      // Another conversation with the same id, as in a file edited by hand: both are kept.
      const whole = !stored ? one : conflict(stored, one) ? { ...one, id: newId() } : merge(stored, one);
      stores.deleted.delete(whole.id);
      await put(stores, whole, whole.nodes);
      kept.push(whole);
    }
    return kept;
  });
  texts = null;
  for (const one of saved) {
    headings.set(one.id, heading(one));
    tabs.postMessage({ changed: one.id, turns: null });
  }
  return saved;
}

export function remove(id) {
  pending.delete(id);
  unkept.delete(id);
  headings.delete(id);
  texts = null;
  writing = writing.then(async () => {
    try {
      legacy.forgetAll(id);
      if (!database) return;
      await inOne(database, "readwrite", async (stores) => {
        stores.conversations.delete(id);
        stores.turns.delete(turnsOf(id));
        stores.deleted.put({ id, time: Date.now() });
      });
      tabs.postMessage({ deleted: id });
    } catch (error) {
      failed(error);
    }
  });
  writeAll();
}

/** The turns of all conversations by their ids, to search in. They are read once, and again after a change. */
export function allTurns() {
  texts ??= readTurns();
  return texts;
}

async function readTurns() {
  await writing;
  const found = /** @type {Map<string, Turn[]>} */ (new Map());
  const turns = database ? await inOne(database, "readonly", (stores) => result(stores.turns.getAll())) : [];
  for (const turn of turns) {
    if (!found.has(turn.conversation)) found.set(turn.conversation, []);
    found.get(turn.conversation)?.push(turn);
  }
  for (const { conversation } of pending.values()) found.set(conversation.id, conversation.nodes);
  return found;
}

/**
 * Keep what is not written yet when the page is closed: `growing` are the conversations whose replies still grow. Each
 * reply is kept as an interrupted one.
 * @param {Conversation[]} growing
 */
export function leave(growing) {
  const turns = new Map([...pending.values()].map((one) => [one.conversation, [...one.turns.keys()]]));
  for (const one of growing) turns.set(one, [...(turns.get(one) ?? []), ...one.nodes.filter(isGrowing)]);
  for (const [one, nodes] of turns) {
    const all = [...new Set(nodes)].filter((node) => node.content.trim() || !isGrowing(node));
    const settled = all.map(({ place, reading, ...node }) => (isGrowing(node) ? { ...node, state: "broken" } : node));
    try {
      if (settled.length) legacy.keepUnfinished(one, settled);
    } catch (error) {
      failed(error);
    }
  }
}

/**
 * Call back when another tab has changed or deleted a conversation (`changed(id, turns)`, `deleted(id)`), and when a
 * problem of the storage has come or gone (`drawn()`).
 */
export function watch(callbacks) {
  told = callbacks;
}

tabs.addEventListener("message", async ({ data }) => {
  if (data.deleted) wasDeleted(data.deleted);
  else if (database) {
    texts = null;
    const there = await inOne(database, "readonly", ({ conversations }) => result(conversations.get(data.changed)));
    if (there) headings.set(there.id, there);
    told.changed(data.changed, data.turns);
  }
  if (unkept.size) writeAll(); // there may be room again
});

function wasDeleted(id) {
  pending.delete(id);
  unkept.delete(id);
  headings.delete(id);
  texts = null;
  told.deleted(id);
}

function failed(error) {
  forbidden ||= error.name !== "QuotaExceededError";
}

const isGrowing = (node) => node.state === "thinking";
