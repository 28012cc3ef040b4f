// A conversation as a tree of turns. Answering again and editing add a sibling; the page shows one path through the tree. A
// deleted turn keeps its place without its words, so that it stays deleted where two versions of a conversation meet.
// Knows nothing of the page, the storage or the server.
//
//   {version: 2, id, title, titled, created, updated, nodes: [node], chosen: {id of a turn, or "": id of the turn shown after it}}
//   and `damaged` with the turns that could not be read, as they were found; `memory` sums up the turns up to `remembered`,
//   `pinned` are facts to keep in mind; both were changed at `recalled`
//   node: {id, parent: id | null, role: "user" | "assistant", content, time, order, state?, dropped?, facts?, rating?, better?, gone?}
//   In a room `people` are the characters of the conversation, and `speaker` is the one who said a node.
//
// A parent comes before its children. `order` sorts the turns of the database. `chosen` may leave out where there is one
// version, or where the last one is shown. `titled` and a node's `time` are the times of the last change: the later one wins.

/**
 * @typedef {"user" | "assistant"} Role
 * @typedef {"up" | "down" | null} Rating
 * @typedef {{name: string, text: string}} Fact what the character was told before a reply
 * @typedef {{
 *   id: string, parent: string | null, role: Role, content: string, time: number, order: number, state?: string,
 *   place?: number, reading?: number, dropped?: number, facts?: Fact[], rating?: Rating, better?: string, gone?: boolean,
 *   speaker?: string,
 * }} Turn
 * @typedef {{
 *   version: number, id: string, title: string, titled: number, created: number, updated: number, nodes: Turn[],
 *   chosen: Record<string, string>, damaged?: unknown[], memory?: string, memoryOff?: boolean, remembered?: string,
 *   pinned?: string[], recalled?: number, people?: string[],
 * }} Conversation
 * @typedef {Map<string | null, Turn[]>} Families
 */

export const VERSION = 2;

export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");

/** @returns {Conversation} */
export const create = () => ({
  version: VERSION,
  id: newId(),
  title: "",
  titled: 0,
  created: Date.now(),
  updated: Date.now(),
  nodes: [],
  chosen: {},
});

/** @typedef {{count: number, byId: Map<string, Turn>, children: Families}} Known */
/**
 * What is known about the turns of each conversation. It grows with them, so that an exchange in a long conversation does
 * not go through all of it.
 * @type {WeakMap<Conversation, Known>}
 */
const index = new WeakMap();

/**
 * @param {Conversation} conversation
 * @returns {Known}
 */
function known(conversation) {
  const { nodes } = conversation;
  let found = index.get(conversation);
  if (!found || found.count > nodes.length) found = { count: 0, byId: new Map(), children: new Map() };
  index.set(conversation, found);
  for (; found.count < nodes.length; found.count++) {
    const node = nodes[found.count];
    found.byId.set(node.id, node);
    if (node.gone) continue;
    const parent = present(found.byId, node.parent);
    const all = found.children.get(parent);
    if (all) all.push(node);
    else found.children.set(parent, [node]);
  }
  return found;
}

/** The turn itself or, where it is deleted, the nearest one before it that is not. */
function present(byId, id) {
  let node = byId.get(id);
  while (node?.gone) node = byId.get(node.parent);
  return node?.id ?? null;
}

/** Call it where turns were removed, replaced, deleted or brought back. */
const forgetIndex = (conversation) => index.delete(conversation);

/**
 * The children of every turn, by its id. What follows a deleted turn follows the turn before that.
 * @param {Conversation} conversation
 */
export const families = (conversation) => known(conversation).children;

/**
 * The turns that are shown, the first one first.
 * @param {Conversation} conversation
 * @returns {Turn[]}
 */
export function path(conversation) {
  const { children } = known(conversation);
  const turns = [];
  for (let here = null; children.has(here); here = turns.at(-1).id) turns.push(shownOf(conversation, here, children.get(here)));
  return turns;
}

const shownOf = (conversation, parent, all) => {
  const wanted = conversation.chosen[parent ?? ""];
  return (wanted && all.length > 1 && all.find((node) => node.id === wanted)) || all.at(-1);
};

/**
 * The turn that is shown after another one; null for the first one.
 * @param {Conversation} conversation
 * @param {string | null} parent
 * @returns {Turn | null}
 */
export function after(conversation, parent) {
  const all = known(conversation).children.get(parent);
  return all ? shownOf(conversation, parent, all) : null;
}

/** @param {Conversation} conversation */
export const leaf = (conversation) => path(conversation).at(-1) ?? null;

/**
 * All versions of a turn, itself among them.
 * @param {Conversation} conversation
 * @param {Turn} node
 * @returns {Turn[]}
 */
export const siblings = (conversation, node) => known(conversation).children.get(parentOf(conversation, node)) ?? [];

/**
 * The id of the turn before another one, past those that are deleted.
 * @param {Conversation} conversation
 * @param {Turn} node
 */
export const parentOf = (conversation, node) => present(known(conversation).byId, node.parent);

/**
 * The turn before another one, or null.
 * @param {Conversation} conversation
 * @param {Turn} node
 * @returns {Turn | null}
 */
export const turnBefore = (conversation, node) => known(conversation).byId.get(parentOf(conversation, node) ?? "") ?? null;

/**
 * The turns up to this one, the first one first; with `count`, at most that many.
 * @param {Conversation} conversation
 * @param {string | null} id
 * @returns {Turn[]}
 */
export function upTo(conversation, id, count = Infinity) {
  const { byId } = known(conversation);
  const turns = [];
  for (let node = byId.get(id ?? ""); node && turns.length < count; node = byId.get(node.parent ?? "")) {
    if (!node.gone) turns.push(node);
  }
  return turns.reverse();
}

/**
 * Turns from the database in an order in which a parent comes before its children; what belongs nowhere comes last.
 * @param {Turn[]} turns
 */
export function inOrder(turns) {
  turns.sort((a, b) => a.order - b.order || a.time - b.time || (a.id < b.id ? -1 : 1));
  const seen = new Set();
  const waiting = /** @type {Map<string, Turn[]>} */ (new Map());
  const sorted = [];
  for (const turn of turns) {
    if (turn.parent !== null && !seen.has(turn.parent)) {
      waiting.set(turn.parent, [...(waiting.get(turn.parent) ?? []), turn]);
      continue;
    }
    sorted.push(turn);
    for (let done = sorted.length - 1; done < sorted.length; done++) {
      seen.add(sorted[done].id);
      sorted.push(...(waiting.get(sorted[done].id) ?? []));
      waiting.delete(sorted[done].id);
    }
  }
  return [...sorted, ...[...waiting.values()].flat()];
}

/**
 * Add a turn below `parent` and show it.
 * @param {Conversation} conversation
 * @param {string | null} parent
 * @param {Role} role
 * @param {string} content
 * @param {Partial<Turn>} more
 * @returns {Turn}
 */
export function add(conversation, parent, role, content, more = {}) {
  const before = conversation.nodes.findLast((one) => one.id === parent);
  const order = Math.max(conversation.nodes.length, (before?.order ?? -1) + 1);
  const node = { id: newId(), parent, role, content, time: Date.now(), order, ...more };
  conversation.nodes.push(node);
  choose(conversation, node);
  return node;
}

/**
 * Show this version of a turn, and below it what was shown there before.
 * @param {Conversation} conversation
 * @param {Turn} node
 */
export function choose(conversation, node) {
  // Without other versions there is nothing to note, which keeps what is stored of a long conversation short.
  const noted = conversation.chosen[parentOf(conversation, node) ?? ""];
  if (noted || siblings(conversation, node).length > 1) conversation.chosen[parentOf(conversation, node) ?? ""] = node.id;
}

/**
 * Remove a reply that never came, and show the former version.
 * @param {Conversation} conversation
 * @param {Turn} node
 * @param {string | undefined} former
 */
export function removeReply(conversation, node, former) {
  const at = parentOf(conversation, node) ?? "";
  conversation.nodes.splice(conversation.nodes.lastIndexOf(node), 1);
  forgetIndex(conversation);
  if (former) conversation.chosen[at] = former;
  else delete conversation.chosen[at];
}

/**
 * Delete a turn, or bring it back. What follows a deleted turn follows the turn before it.
 * @param {Conversation} conversation
 * @param {Turn} node
 */
export function setGone(conversation, node, gone = true) {
  Object.assign(node, { gone, time: Date.now() });
  forgetIndex(conversation);
}

/**
 * Merge another tab's or a file's version of the same conversation into ours: the union of both, nothing is lost.
 * @param {Conversation} ours
 * @param {Conversation} theirs
 */
export function merge(ours, theirs) {
  const { byId } = known(ours);
  const before = new Set(byId.keys());
  if (before.size) before.add("");
  for (const node of theirs.nodes) {
    const same = byId.get(node.id);
    if (!same) {
      // What this tab shows stays when another one adds a version of it.
      const shown = after(ours, node.parent);
      if (shown) ours.chosen[node.parent ?? ""] ??= shown.id;
      ours.nodes.push(node);
    } else if (node.time > same.time) {
      const gone = Boolean(same.gone) !== Boolean(node.gone);
      Object.assign(same, node);
      if (gone) forgetIndex(ours);
    }
  }
  for (const [at, id] of Object.entries(theirs.chosen)) if (!before.has(at)) ours.chosen[at] ??= id;
  const lost = lostOf(ours, theirs);
  if (lost.length) ours.damaged = lost;
  Object.assign(ours, recalledOf(ours, theirs));
  if (theirs.titled > ours.titled) [ours.title, ours.titled] = [theirs.title, theirs.titled];
  ours.created = Math.min(ours.created, theirs.created);
  ours.updated = Math.max(ours.updated, theirs.updated);
  return ours;
}

/** What two records remember of a conversation: the later one's. */
export const recalledOf = (ours, theirs) => {
  const { memory, memoryOff, remembered, pinned, recalled } = (theirs?.recalled ?? 0) > (ours.recalled ?? 0) ? theirs : ours;
  return recalled ? { memory, memoryOff, remembered, pinned, recalled } : {};
};

/** The damaged turns of two records of a conversation, each once. */
export const lostOf = (ours, theirs) => [
  ...new Map([...(ours.damaged ?? []), ...(theirs?.damaged ?? [])].map((turn) => [JSON.stringify(turn), turn])).values(),
];

/**
 * Whether two records with one id are different conversations: a turn has another speaker, parent or text in them.
 * @param {Conversation} ours
 * @param {Conversation} theirs
 */
export function conflict(ours, theirs) {
  const { byId } = known(ours);
  return theirs.nodes.some((node) => {
    const same = byId.get(node.id);
    return same && (same.parent !== node.parent || same.role !== node.role || (same.time === node.time && same.content !== node.content));
  });
}

/** Note what an event of a stream says of a reply that grows. @param {Turn} reply */
export function take(reply, event) {
  if (event.type === "speaker") reply.speaker = event.speaker;
  else if (event.type === "queued") reply.place = event.place;
  else if (event.type === "reading") reply.reading = event.total ? event.done / event.total : 0;
  else if (event.type === "delta") reply.content += event.text;
  else if (event.type === "done") {
    reply.state = event.finish_reason === "length" ? "cut" : "done";
    if (event.dropped_messages) reply.dropped = event.dropped_messages;
    if (event.facts?.length) reply.facts = event.facts.map(({ name, text }) => ({ name, text }));
    else delete reply.facts;
  }
}
