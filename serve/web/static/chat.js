// The course of a conversation: asking, stopping, answering again. Knows nothing of the page's elements. It calls
// `changed(conversation, what)` with "turns" when turns were added or removed and with "text" when a reply grew.

import * as store from "./store.js";
import { answer } from "./stream.js";
import { clean, sendable, titleOf } from "./text.js";
import * as tree from "./tree.js";

/** @import { Conversation, Turn } from "./tree.js" */

const running = new Map(); // conversation id → {conversation, controller, reply}
const troubles = new Map(); // conversation id → {conversation, error, parent, automatic}

/** @type {(conversation: Conversation, what: "turns" | "text") => void} */
let changed = () => {};
let limits = { messages: 400, chars: 4000 };

export const onChange = (callback) => {
  changed = callback;
};
export const setLimits = (fromServer) => {
  limits = fromServer;
};
export const maxChars = () => limits.chars;
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

/**
 * Ask for another version of a reply, or for the first reply to a message.
 * @param {Conversation} conversation
 */
export function again(conversation, turn = /** @type {Turn} */ (tree.leaf(conversation)), automatic = false) {
  return ask(conversation, turn.role === "assistant" ? tree.parentOf(conversation, turn) : turn.id, automatic);
}

/** Show another version of a turn. */
export function choose(conversation, turn) {
  tree.choose(conversation, turn);
  troubles.delete(conversation.id);
  store.save(conversation);
  changed(conversation, "turns");
}

/** Stop the answer of a conversation that is being deleted. */
export function forget(conversation) {
  stop(conversation);
  troubles.delete(conversation.id);
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
  for (const { conversation, parent } of lost()) ask(conversation, parent, true);
}

async function ask(conversation, parent, automatic = false) {
  if (isRunning(conversation)) return;
  const former = conversation.chosen[parent];
  const controller = new AbortController();
  const sent = window_(tree.upTo(conversation, parent, limits.messages));
  conversation.updated = Date.now();
  const reply = tree.add(conversation, parent, "assistant", "", { state: "thinking" });
  running.set(conversation.id, { conversation, controller, reply });
  troubles.delete(conversation.id);
  changed(conversation, "turns");
  try {
    for await (const event of answer(sent, controller.signal)) {
      if (event.type === "queued") reply.place = event.place;
      else if (event.type === "delta") reply.content += event.text;
      else if (event.type === "done") {
        reply.state = event.finish_reason === "length" ? "cut" : "done";
        if (event.dropped_messages) reply.dropped = event.dropped_messages;
      }
      changed(conversation, "text");
    }
  } catch (error) {
    reply.state = controller.signal.aborted ? "stopped" : "broken";
    if (!controller.signal.aborted) troubles.set(conversation.id, { conversation, error, parent, automatic });
  }
  running.delete(conversation.id);
  delete reply.place;
  if (!clean(reply.content)) tree.removeReply(conversation, reply, former);
  reply.time = conversation.updated = Date.now();
  store.save(conversation, clean(reply.content) ? [reply] : []);
  changed(conversation, "turns");
}

/** The newest messages that the server accepts, beginning with one of the visitor's. */
function window_(turns) {
  const said = turns.map(({ role, content }) => ({ role, content: sendable(content).slice(0, limits.chars).toWellFormed() }));
  const newest = said.filter(({ content }) => content.trim()).slice(-limits.messages); // a reply may have nothing left to send
  return newest.slice(newest.findIndex(({ role }) => role === "user"));
}
