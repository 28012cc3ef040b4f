// One conversation in a transaction of the database: read whole, or written as far as it has changed.

import { result, turnsOf } from "./database.js";
import { salvaged } from "./shape.js";
import { inOrder, lostOf, recalledOf } from "./tree.js";

/**
 * @import { Conversation } from "./tree.js"
 * @typedef {Omit<Conversation, "nodes">} Heading
 */

/** The whole conversation, or null. */
export async function read({ conversations, turns }, id) {
  const [one, nodes] = await Promise.all([result(conversations.get(id)), result(turns.getAll(turnsOf(id)))]);
  return one && nodes.length ? salvaged({ ...one, nodes: inOrder(nodes) }) : null;
}

/** Write a conversation and some of its turns. Where another tab has changed the same, the later change counts. */
export async function put({ conversations, turns }, one, changed) {
  const there = await result(conversations.get(one.id));
  if (there?.titled > one.titled) [one.title, one.titled] = [there.title, there.titled];
  one.updated = Math.max(one.updated, there?.updated ?? 0);
  one.created = Math.min(one.created, there?.created ?? one.created);
  const lost = lostOf(one, there);
  if (lost.length) one.damaged = lost;
  Object.assign(one, recalledOf(one, there));
  const former = await Promise.all(changed.map((turn) => result(turns.get([one.id, turn.id]))));
  changed.forEach((turn, index) => {
    if (former[index]?.time > turn.time) return;
    const { place, reading, ...rest } = turn; // of the moment
    turns.put({ ...rest, conversation: one.id });
  });
  const kept = { ...heading(one), chosen: { ...there?.chosen, ...one.chosen } };
  conversations.put(kept);
  return kept;
}

/**
 * A conversation without its turns.
 * @type {(one: Conversation) => Heading}
 */
export const heading = ({ nodes, ...rest }) => rest;
