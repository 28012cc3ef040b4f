// The course of a conversation in the room: who is asked, stopping, going on without the visitor. Knows nothing of the
// page's elements. It calls `changed(conversation, what)` with "turns" when turns came or went and with "text" when a reply
// grew. Conversations are those of the chat page, with a `speaker` at each reply; they have no branches.

import { limits } from "../server.js";
import { setting } from "../settings.js";
import * as store from "../store.js";
import { answer } from "../stream.js";
import { clean, sendable, titleOf } from "../text.js";
import * as tree from "../tree.js";

/** @import { Conversation } from "../tree.js" */

const VISITOR = "visitor-name";
const running = new Map(); // conversation id → {conversation, controller, reply}
const troubles = new Map(); // conversation id → {error, next}
const left = new Map(); // conversation id → how many turns are still to come without the visitor

/** @type {(conversation: Conversation, what: "turns" | "text") => void} */
let changed = () => {};

export const onChange = (callback) => {
  changed = callback;
};
export const isRunning = (conversation) => running.has(conversation.id);
export const replyOf = (conversation) => running.get(conversation.id)?.reply;
export const troubleOf = (conversation) => troubles.get(conversation.id);
/** How many turns they still go on without the visitor. */
export const turnsLeft = (conversation) => left.get(conversation.id) ?? 0;
export const visitorName = () => setting(VISITOR) ?? "";
export const VISITOR_SETTING = VISITOR;

/** @param {string[]} people */
export const create = (people) => ({ ...tree.create(), people });

/** Who said the last turn: a character's id, null for the visitor, undefined where no one has spoken. */
export function lastSpeaker(conversation) {
  const last = tree.leaf(conversation);
  return last ? (last.speaker ?? null) : undefined;
}

/** Say something; whoever is named in it answers, else whoever spoke longest ago. */
export function say(conversation, text) {
  add(conversation, "user", clean(text), {});
  return ask(conversation);
}

/** Let a character open the conversation with its greeting. */
export function begin(conversation, speaker, text) {
  add(conversation, "assistant", text, { state: "done", speaker });
  changed(conversation, "turns");
}

function add(conversation, role, content, more) {
  const turn = tree.add(conversation, tree.leaf(conversation)?.id ?? null, role, content, more);
  if (!conversation.title) [conversation.title, conversation.titled] = [titleOf(content), Date.now()];
  conversation.updated = Date.now();
  troubles.delete(conversation.id);
  store.save(conversation, [turn]);
}

export function stop(conversation) {
  left.delete(conversation.id);
  running.get(conversation.id)?.controller.abort();
}

/** Let them talk for `most` turns, until the visitor stops them or something fails. */
export async function letTalk(conversation, most) {
  if (isRunning(conversation)) return;
  left.set(conversation.id, most);
  while (turnsLeft(conversation) > 0) {
    left.set(conversation.id, turnsLeft(conversation) - 1);
    if (!(await ask(conversation))) break;
  }
  left.delete(conversation.id);
  changed(conversation, "turns");
}

/** Ask what failed once more. */
export const retry = (conversation) => ask(conversation, troubleOf(conversation)?.next ?? null);

/** Delete a turn. Returns what brings it back. */
export function removeTurn(conversation, turn) {
  const { content } = turn;
  troubles.delete(conversation.id);
  const put = (what, gone) => {
    turn.content = what;
    tree.setGone(conversation, turn, gone);
    conversation.updated = Date.now();
    store.save(conversation, [turn]);
    changed(conversation, "turns");
  };
  put("", true);
  return () => put(content, false);
}

/** Stop the answer of a conversation that is being deleted. */
export function forget(conversation) {
  stop(conversation);
  troubles.delete(conversation.id);
}

/** Store what has arrived when the page is closed in the middle of an answer. */
export const keepUnfinished = () => store.leave([...running.values()].map(({ conversation }) => conversation));

/**
 * Let `next` answer the last turn, or whom the server chooses. Resolves to whether a whole reply came.
 * @param {Conversation} conversation
 * @param {string | null} next
 */
export async function ask(conversation, next = null) {
  const parent = tree.leaf(conversation);
  if (isRunning(conversation) || !parent) return false;
  const controller = new AbortController();
  const sent = body(conversation, parent, next);
  const reply = tree.add(conversation, parent.id, "assistant", "", { state: "thinking", ...(next && { speaker: next }) });
  running.set(conversation.id, { conversation, controller, reply });
  troubles.delete(conversation.id);
  changed(conversation, "turns");
  let error = /** @type {unknown} */ (null);
  try {
    for await (const event of answer(sent, controller.signal, "../api/room")) {
      tree.take(reply, event);
      changed(conversation, event.type === "speaker" ? "turns" : "text");
    }
  } catch (thrown) {
    reply.state = controller.signal.aborted ? "stopped" : "broken";
    error = controller.signal.aborted ? null : thrown;
  }
  running.delete(conversation.id);
  delete reply.place;
  delete reply.reading;
  const said = Boolean(clean(reply.content));
  if (!said) tree.removeReply(conversation, reply, undefined);
  reply.time = conversation.updated = Date.now();
  store.save(conversation, said ? [reply] : []);
  if (error) troubles.set(conversation.id, { error, next });
  changed(conversation, "turns");
  return said && !error && reply.state !== "stopped";
}

/** The body of a request: the newest turns that the server accepts. */
function body(conversation, parent, next) {
  const { messages, chars } = limits();
  const turns = tree.upTo(conversation, parent.id, messages).map((turn) => ({
    speaker: turn.speaker ?? null,
    content: sendable(turn.content).slice(0, chars).toWellFormed(),
  }));
  return {
    speakers: conversation.people,
    turns: turns.filter(({ content }) => content.trim()), // a reply may have nothing left to send
    ...(next && { next }),
    ...(visitorName() && { visitor: visitorName() }),
  };
}
