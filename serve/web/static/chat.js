// The course of a conversation: asking, stopping, answering again, mending. Knows nothing of the page's elements. It calls
// `changed(conversation, what)` with "turns" when turns were added or removed and with "text" when a reply grew.

import * as patience from "./patience.js";
import { told } from "./recall.js";
import * as sampling from "./sampling.js";
import { continues, limits } from "./server.js";
import * as store from "./store.js";
import { answer } from "./stream.js";
import { clean, sendable, titleOf } from "./text.js";
import * as tree from "./tree.js";

/** @import { Conversation, Turn } from "./tree.js" */

const running = new Map(); // conversation id → {conversation, controller, reply}
const troubles = new Map(); // conversation id → {conversation, error, parent, automatic, begun: the reply that broke off, or null}

/** @type {(conversation: Conversation, what: "turns" | "text") => void} */
let changed = () => {};

export const onChange = (callback) => {
  changed = callback;
};
export const maxChars = () => limits().chars;
export const isRunning = (conversation) => running.has(conversation.id);
export const replyOf = (conversation) => running.get(conversation.id)?.reply;
export const troubleOf = (conversation) => troubles.get(conversation.id);
export const stop = (conversation) => running.get(conversation.id)?.controller.abort();

/** Add a message below `parent` and ask for its answer. Where there is a message already, this begins a branch. */
export function say(conversation, text, parent = tree.leaf(conversation)?.id ?? null) {
  const said = tree.add(conversation, parent, "user", clean(text));
  if (!conversation.title) [conversation.title, conversation.titled] = [titleOf(text), Date.now()];
  store.save(conversation, [said]);
  return ask(conversation, said.id);
}

/** Let the character speak first. */
export function greet(conversation, text) {
  store.save(conversation, [tree.add(conversation, null, "assistant", text, { state: "done" })]);
}

/**
 * Ask for another version of a reply, or for the first reply to a message.
 * @param {Conversation} conversation
 */
export function again(conversation, turn = /** @type {Turn} */ (tree.leaf(conversation)), automatic = false) {
  const asked = turn.role === "assistant" ? tree.turnBefore(conversation, turn) : turn;
  if (asked?.role === "user") return ask(conversation, asked.id, automatic);
}

/** Go on where a reply ended. */
export const resumeReply = (conversation, turn) => ask(conversation, turn.parent, false, turn);

/** Show another version of a turn. */
export function choose(conversation, turn) {
  tree.choose(conversation, turn);
  forgetTrouble(conversation);
  store.save(conversation);
  changed(conversation, "turns");
}

/**
 * Put other words in the place of a reply. The last one gets another version; elsewhere what follows stays, so that the
 * words themselves change. Returns what brings the old ones back, or null where they are the version before.
 */
export function rewrite(conversation, turn, text) {
  if (turn === tree.leaf(conversation)) {
    store.save(conversation, [tree.add(conversation, turn.parent, "assistant", text, { state: "done" })]);
    changed(conversation, "turns");
    return null;
  }
  return replace(conversation, turn, { content: text, state: "done" });
}

/** Delete a turn; its words are gone from the storage at once. Returns what brings them back. */
export function removeTurn(conversation, turn) {
  forgetTrouble(conversation);
  return replace(conversation, turn, { content: "", gone: true });
}

function replace(conversation, turn, change) {
  const former = { content: turn.content, state: turn.state, gone: false };
  const put = (what) => {
    const { gone = Boolean(turn.gone), ...rest } = what;
    Object.assign(turn, rest);
    tree.setGone(conversation, turn, gone);
    conversation.updated = Date.now();
    store.save(conversation, [turn]);
    changed(conversation, "turns");
  };
  put(change);
  return () => put(former);
}

/** Stop the answer of a conversation that is being deleted. */
export function forget(conversation) {
  stop(conversation);
  forgetTrouble(conversation);
}

function forgetTrouble(conversation) {
  patience.end(conversation.id);
  troubles.delete(conversation.id);
}

/** Wait no longer for the queue; the visitor may still ask again. */
export function endWaiting(conversation) {
  patience.end(conversation.id);
  changed(conversation, "turns");
}

/** Store what has arrived when the page is closed in the middle of an answer. */
export const keepUnfinished = () => store.leave([...running.values()].map(({ conversation }) => conversation));

/** Whether a failure is one of the connection: the server did not answer, or it is still loading its model. */
const isConnection = ({ error }) => ["lost", "broken", "loading"].includes(error.code);

/** Whether it is retried automatically: once, so that this ends; a server that is loading has not tried yet. */
export const isWaitedFor = (trouble) => isConnection(trouble) && (!trouble.automatic || trouble.error.code === "loading");

/** The failures that wait for the connection. */
export const lost = () => [...troubles.values()].filter(isWaitedFor);

/** Ask again where the connection was lost. */
export function resume() {
  for (const trouble of lost()) retry(trouble, true);
}

/** Ask again. A reply that broke off is continued where the server can; else it is shown until the new one begins. */
function retry({ conversation, parent, begun }, automatic) {
  const shown = begun && tree.leaf(conversation) === begun ? begun : null;
  return continues() ? ask(conversation, parent, automatic, shown) : ask(conversation, parent, automatic, null, shown);
}

/**
 * @param {Turn | null} continued the reply to continue, in place of a new one
 * @param {Turn | null} kept the reply to show until the new one has its first word
 */
async function ask(conversation, parent, automatic = false, continued = null, kept = null) {
  if (isRunning(conversation)) return;
  const former = conversation.chosen[parent];
  const controller = new AbortController();
  const sent = body(conversation, continued?.id ?? parent, continued !== null);
  conversation.updated = Date.now();
  const reply = continued ?? tree.add(conversation, parent, "assistant", "", { state: "thinking" });
  reply.state = "thinking";
  if (kept) tree.choose(conversation, kept);
  running.set(conversation.id, { conversation, controller, reply });
  troubles.delete(conversation.id);
  patience.pause(conversation.id);
  changed(conversation, "turns");
  let error = /** @type {unknown} */ (null);
  try {
    for await (const event of answer(sent, controller.signal)) {
      tree.take(reply, event);
      if (kept && reply.content) {
        tree.choose(conversation, reply);
        kept = null;
        changed(conversation, "turns");
      } else changed(conversation, "text");
    }
  } catch (thrown) {
    reply.state = controller.signal.aborted ? "stopped" : "broken";
    error = controller.signal.aborted ? null : thrown;
  }
  running.delete(conversation.id);
  delete reply.place;
  delete reply.reading;
  if (!clean(reply.content)) tree.removeReply(conversation, reply, former);
  reply.time = conversation.updated = Date.now();
  store.save(conversation, clean(reply.content) ? [reply] : []);
  if (error) {
    const trouble = { conversation, error, parent, automatic, begun: clean(reply.content) ? reply : kept };
    troubles.set(conversation.id, trouble);
    patience.wait(conversation.id, error, () => retry(trouble, automatic));
  } else patience.end(conversation.id);
  changed(conversation, "turns");
}

/** The body of a request for an answer to a turn, or for more of it. */
function body(conversation, id, continued) {
  const settings = sampling.chosen();
  return {
    messages: sendableTurns(conversation, id).map(({ role, content }) => ({ role, content })),
    ...(Object.keys(settings).length && { settings }),
    ...(continued && { continue: true }),
    ...told(conversation),
  };
}

/** The newest turns that the server accepts, as {id, role, content}: from the first one, or from one of the visitor's. */
export function sendableTurns(conversation, id) {
  const { messages, chars } = limits();
  const turns = tree.upTo(conversation, id, messages);
  const said = turns.map((turn) => ({ id: turn.id, role: turn.role, content: sendable(turn.content).slice(0, chars).toWellFormed() }));
  const newest = said.filter(({ content }) => content.trim()); // a reply may have nothing left to send
  if (turns[0] && tree.turnBefore(conversation, turns[0]) === null) return newest;
  return newest.slice(newest.findIndex(({ role }) => role === "user"));
}
