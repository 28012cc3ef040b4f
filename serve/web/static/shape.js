// Checks what comes from storage or from a file and gives a conversation of today's shape, or says what is wrong with it.
// The first version of the page kept {id, title, created, updated, messages: [{role, content, state?, dropped?}]}.

import { clean } from "./text.js";
import { VERSION, newId } from "./tree.js";

/** What was read is no conversation: `key` and `args` are a sentence of the page's words. */
export class Damaged extends Error {
  constructor(key, ...args) {
    super([key, ...args].join(" "));
    this.key = key;
    this.args = args;
  }
}

const STATES = ["done", "stopped", "cut", "broken"];
const isId = (value) => typeof value === "string" && /^[A-Za-z0-9]{1,64}$/.test(value);
const time = (value, otherwise) => (Number.isFinite(value) ? value : otherwise);

/** Return the conversation that `value` holds. Raises Damaged; `number` is its place in a file, for the message. */
export function conversation(value, number = 1) {
  if (value?.version > VERSION) throw new Damaged("damagedNewer", value.version, VERSION);
  const turns = value?.nodes ?? value?.messages;
  if (!Array.isArray(turns) || !turns.length) throw new Damaged("damagedEmpty", number);
  const created = time(value.created, Date.now());
  const seen = new Set();
  const nodes = turns.map((turn, index) => {
    const node = value.nodes ? checked(turn, created) : chained(turn, index, created);
    const orphan = node && node.parent !== null && !seen.has(node.parent);
    if (!node || orphan || seen.has(node.id)) throw new Damaged("damagedTurn", number, index + 1);
    seen.add(node.id);
    return node;
  });
  const chosen = Object.entries(value.chosen ?? {}).filter(([at, id]) => (at === "" || seen.has(at)) && seen.has(id));
  return {
    version: VERSION,
    id: isId(value.id) ? value.id : newId(),
    title: typeof value.title === "string" ? clean(value.title).slice(0, 200) : "",
    titled: time(value.titled, 0),
    created,
    updated: time(value.updated, created),
    nodes,
    chosen: Object.fromEntries(chosen),
  };
}

function checked(turn, created) {
  if (!isId(turn?.id) || !(turn.parent === null || isId(turn.parent))) return null;
  return said(turn, { id: turn.id, parent: turn.parent }, created);
}

/** A message of the first version follows the one before it. Its id is its place, so that migrating twice changes nothing. */
const chained = (message, index, created) => said(message, { id: `m${index}`, parent: index ? `m${index - 1}` : null }, created);

function said(turn, place, created) {
  if (!["user", "assistant"].includes(turn?.role) || typeof turn.content !== "string" || !turn.content.trim()) return null;
  // What a model wrote keeps its spaces; only what the server would refuse when it is sent again goes.
  const content = turn.role === "user" ? clean(turn.content) : turn.content.toWellFormed();
  const node = { ...place, role: turn.role, content, time: time(turn.time, created) };
  if (turn.state !== undefined) node.state = STATES.includes(turn.state) ? turn.state : "broken";
  if (Number.isInteger(turn.dropped)) node.dropped = turn.dropped;
  if (["up", "down", null].includes(turn.rating)) node.rating = turn.rating;
  if (typeof turn.better === "string") node.better = turn.better;
  return node.content ? node : null;
}
