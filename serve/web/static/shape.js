// Checks what comes from storage or from a file. Returns a conversation of the current version, or reports what is wrong.
// The first version of the page kept {id, title, created, updated, messages: [{role, content, state?, dropped?}]}.

import { clean } from "./text.js";
import { VERSION, newId } from "./tree.js";

/** The content is not a conversation: `key` and `args` select the error message in the page's words. */
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

/** Return the conversation in `value`. Raises Damaged; `number` is its place in a file, for the message. */
export function conversation(value, number = 1) {
  const { nodes, broken } = sorted(value, number);
  if (broken.length) throw new Damaged("damagedTurn", number, broken[0].index + 1);
  return shaped(value, nodes);
}

/**
 * Return the readable part of a conversation. Unreadable turns are kept under `damaged` as they are; the turns after one
 * follow the turn before it. Raises Damaged where nothing can be read.
 */
export function salvaged(value) {
  const { nodes, broken } = sorted(value, 1);
  if (!nodes.length) throw new Damaged("damagedTurn", 1, 1);
  const found = shaped(value, nodes);
  const damaged = [...(found.damaged ?? []), ...broken.map(({ turn }) => turn)];
  return damaged.length ? { ...found, damaged } : found;
}

/** Return turns whose parents are elsewhere, with their conversation; what cannot be read of them is left out. */
export function fragment(value) {
  if (value?.version > VERSION || !Array.isArray(value?.nodes)) throw new Damaged("damagedTurn", 1, 1);
  const created = time(value.created, Date.now());
  const places = (turn) => isId(turn?.id) && (turn.parent === null || isId(turn.parent));
  const nodes = value.nodes.map((turn, index) => (places(turn) ? said(turn, own(turn), created, index) : null)).filter(Boolean);
  return shaped(value, nodes);
}

/** The turns of `value`: the readable ones in `nodes`, the others in `broken` as {turn, index}. */
function sorted(value, number) {
  if (value?.version > VERSION) throw new Damaged("damagedNewer", value.version, VERSION);
  const turns = value?.nodes ?? value?.messages;
  if (!Array.isArray(turns) || !turns.length) throw new Damaged("damagedEmpty", number);
  const created = time(value.created, Date.now());
  const seen = new Set([null]);
  const before = new Map(); // id of a broken turn → id of the turn before it
  const nodes = [];
  const broken = [];
  turns.forEach((turn, index) => {
    const place = value.nodes ? own(turn) : chained(index);
    if (before.has(place.parent)) place.parent = before.get(place.parent);
    const node = isId(place.id) && !seen.has(place.id) && seen.has(place.parent) ? said(turn, place, created, index) : null;
    if (node) {
      seen.add(node.id);
      nodes.push(node);
    } else {
      if (!seen.has(place.id) && seen.has(place.parent)) before.set(place.id, place.parent);
      broken.push({ turn, index });
    }
  });
  return { nodes, broken };
}

function shaped(value, nodes) {
  const seen = new Set(nodes.map((node) => node.id));
  const chosen = Object.entries(value.chosen ?? {}).filter(([at, id]) => (at === "" || seen.has(at)) && seen.has(id));
  const created = time(value.created, Date.now());
  return {
    version: VERSION,
    id: isId(value.id) ? value.id : newId(),
    title: typeof value.title === "string" ? clean(value.title).slice(0, 200) : "",
    titled: time(value.titled, 0),
    created,
    updated: time(value.updated, created),
    nodes,
    chosen: Object.fromEntries(chosen),
    ...recalled(value),
    ...(Array.isArray(value.people) && { people: value.people.filter((one) => typeof one === "string").slice(0, 20) }),
    ...(Array.isArray(value.damaged) && value.damaged.length && { damaged: value.damaged }),
  };
}

/** What is remembered of a conversation, as far as it is what it should be. */
function recalled({ memory, memoryOff, remembered, pinned, recalled: at }) {
  if (!Number.isFinite(at)) return {};
  const facts = Array.isArray(pinned) ? pinned.filter((fact) => typeof fact === "string").map(clean).filter(Boolean) : [];
  return {
    recalled: at,
    memory: typeof memory === "string" ? clean(memory) : "",
    memoryOff: memoryOff === true,
    ...(isId(remembered) && { remembered }),
    pinned: facts,
  };
}

/** The facts that a reply came with, as far as they are what they should be. */
function facts(value) {
  if (!Array.isArray(value)) return [];
  const whole = value.filter((fact) => typeof fact?.name === "string" && typeof fact.text === "string");
  return whole.slice(0, 100).map(({ name, text }) => ({ name: clean(name).slice(0, 200), text: clean(text).slice(0, 40_000) }));
}

const own = (turn) => ({ id: turn?.id, parent: turn?.parent });

/** A message of the first version follows the one before it. Its id is its number, so that migrating twice changes nothing. */
const chained = (index) => ({ id: `m${index}`, parent: index ? `m${index - 1}` : null });

function said(turn, place, created, index) {
  if (!["user", "assistant"].includes(turn?.role) || typeof turn.content !== "string") return null;
  if (!turn.content.trim() && turn.gone !== true) return null;
  // A reply stays as it is; what the server would refuse is removed when it is sent again (`sendable`).
  const content = turn.role === "user" ? clean(turn.content) : turn.content.toWellFormed();
  const node = { ...place, role: turn.role, content, time: time(turn.time, created) };
  if (turn.state !== undefined) node.state = STATES.includes(turn.state) ? turn.state : "broken";
  node.order = Number.isInteger(turn.order) && turn.order >= 0 ? turn.order : index;
  if (typeof turn.speaker === "string" && turn.role === "assistant") node.speaker = turn.speaker.slice(0, 64);
  if (Number.isInteger(turn.dropped)) node.dropped = turn.dropped;
  const told = facts(turn.facts);
  if (told.length) node.facts = told;
  if (["up", "down", null].includes(turn.rating)) node.rating = turn.rating;
  if (typeof turn.better === "string") node.better = turn.better;
  if (turn.gone === true) node.gone = true;
  return node.content || node.gone ? node : null;
}
