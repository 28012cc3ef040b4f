// A conversation as a tree of turns. Answering again and editing add a sibling; turns are never removed, and the page
// shows one path through the tree. Knows nothing of the page, the storage or the server.
//
//   {version: 2, id, title, titled, created, updated, nodes: [node], chosen: {id of a turn, or "": id of the turn shown after it}}
//   and `damaged` with the turns that could not be read, as they were found
//   node: {id, parent: id | null, role: "user" | "assistant", content, time, state?, dropped?, rating?, better?}
//
// A parent comes before its children. `titled` and a node's `time` are the times of the last change: the later one wins.

/**
 * @typedef {"user" | "assistant"} Role
 * @typedef {"up" | "down" | null} Rating
 * @typedef {{
 *   id: string, parent: string | null, role: Role, content: string, time: number, state?: string, place?: number,
 *   dropped?: number, rating?: Rating, better?: string,
 * }} Turn
 * @typedef {{
 *   version: number, id: string, title: string, titled: number, created: number, updated: number, nodes: Turn[],
 *   chosen: Record<string, string>, damaged?: unknown[],
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

/**
 * The children of every turn, by its id; computed once where many turns need them.
 * @param {Conversation} conversation
 */
export function families(conversation) {
  const children = /** @type {Families} */ (new Map());
  for (const node of conversation.nodes) {
    if (!children.has(node.parent)) children.set(node.parent, []);
    children.get(node.parent)?.push(node);
  }
  return children;
}

/**
 * The turns that are shown, the first one first.
 * @param {Conversation} conversation
 * @returns {Turn[]}
 */
export function path(conversation, children = families(conversation)) {
  const turns = [];
  for (let here = null; children.has(here); here = turns.at(-1).id) {
    const wanted = conversation.chosen[here ?? ""];
    const all = /** @type {Turn[]} */ (children.get(here));
    turns.push(/** @type {Turn} */ (all.find((node) => node.id === wanted) ?? all.at(-1)));
  }
  return turns;
}

/** @param {Conversation} conversation */
export const leaf = (conversation) => path(conversation).at(-1) ?? null;

/**
 * All versions of a turn, itself among them.
 * @param {Conversation} conversation
 * @param {Turn} node
 */
export const siblings = (conversation, node) => conversation.nodes.filter((other) => other.parent === node.parent);

/**
 * The turns from the first one to this one.
 * @param {Conversation} conversation
 * @param {string | null} id
 */
export function upTo(conversation, id) {
  const byId = new Map(conversation.nodes.map((node) => [/** @type {string | null} */ (node.id), node]));
  const turns = [];
  for (let node = byId.get(id); node; node = byId.get(node.parent)) turns.unshift(node);
  return turns;
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
  const node = { id: newId(), parent, role, content, time: Date.now(), ...more };
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
  conversation.chosen[node.parent ?? ""] = node.id;
}

/**
 * Remove a reply that never came, and show the former version.
 * @param {Conversation} conversation
 * @param {Turn} node
 * @param {string | undefined} former
 */
export function removeReply(conversation, node, former) {
  conversation.nodes.splice(conversation.nodes.indexOf(node), 1);
  if (former) conversation.chosen[node.parent ?? ""] = former;
  else delete conversation.chosen[node.parent ?? ""];
}

/**
 * Merge another tab's or a file's version of the same conversation into ours: the union of both, nothing is lost.
 * @param {Conversation} ours
 * @param {Conversation} theirs
 */
export function merge(ours, theirs) {
  const known = new Map(ours.nodes.map((node) => [node.id, node]));
  for (const node of theirs.nodes) {
    const same = known.get(node.id);
    if (!same) ours.nodes.push(node);
    else if (node.time > same.time) Object.assign(same, node);
  }
  ours.chosen = { ...theirs.chosen, ...ours.chosen };
  const lost = new Map([...(ours.damaged ?? []), ...(theirs.damaged ?? [])].map((turn) => [JSON.stringify(turn), turn]));
  if (lost.size) ours.damaged = [...lost.values()];
  if (theirs.titled > ours.titled) [ours.title, ours.titled] = [theirs.title, theirs.titled];
  ours.created = Math.min(ours.created, theirs.created);
  ours.updated = Math.max(ours.updated, theirs.updated);
  return ours;
}

/**
 * Whether two records with one id are different conversations: a turn has another speaker, parent or text in them.
 * @param {Conversation} ours
 * @param {Conversation} theirs
 */
export function conflict(ours, theirs) {
  const known = new Map(ours.nodes.map((node) => [node.id, node]));
  return theirs.nodes.some((node) => {
    const same = known.get(node.id);
    return same && (same.parent !== node.parent || same.role !== node.role || (same.time === node.time && same.content !== node.content));
  });
}
