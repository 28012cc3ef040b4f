// What happens in a conversation: asking, stopping, answering again. Knows nothing of the page's elements; it tells
// `changed(conversation, what)` with "turns" when turns came or went and "text" when a reply grew.

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

/** Say something below `parent`. Where something was said there already, this begins a branch. */
export function say(conversation, text, parent = tree.leaf(conversation)?.id ?? null) {
  const said = tree.add(conversation, parent, "user", clean(text));
  if (!conversation.title) [conversation.title, conversation.titled] = [titleOf(text), Date.now()];
  return ask(conversation, said.id);
}

/**
 * Give a reply an alternative; below a message that has no reply yet, the first one.
 * @param {Conversation} conversation
 */
export function again(conversation, turn = /** @type {Turn} */ (tree.leaf(conversation)), automatic = false) {
  return ask(conversation, turn.role === "assistant" ? turn.parent : turn.id, automatic);
}

/** Show another turn in the place of one. */
export function choose(conversation, turn) {
  tree.choose(conversation, turn);
  troubles.delete(conversation.id);
  store.save(conversation);
  changed(conversation, "turns");
}

/** Let go of a conversation that is being deleted. */
export function forget(conversation) {
  stop(conversation);
  troubles.delete(conversation.id);
}

/** Keep what has arrived when the page goes away in the middle of an answer. */
export function keepUnfinished() {
  for (const { conversation } of running.values()) store.save(conversation, true);
}

/** Whether a trouble is one of the connection: nobody answered, or a server that still loads its model. */
const isConnection = ({ error }) => ["lost", "broken", "loading"].includes(error.code);

/** Whether it is asked again by itself: once, so that nothing goes round for ever; a server that loads has not tried yet. */
export const isWaitedFor = (trouble) => isConnection(trouble) && (!trouble.automatic || trouble.error.code === "loading");

/** Where the connection was lost and is waited for. */
export const lost = () => [...troubles.values()].filter(isWaitedFor);

/** Ask again where the connection was lost. */
export function resume() {
  for (const { conversation, parent } of lost()) ask(conversation, parent, true);
}

async function ask(conversation, parent, automatic = false) {
  if (isRunning(conversation)) return;
  const former = conversation.chosen[parent];
  const controller = new AbortController();
  const sent = window_(tree.upTo(conversation, parent));
  conversation.updated = Date.now();
  store.save(conversation);
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
  if (!clean(reply.content)) tree.takeBack(conversation, reply, former);
  reply.time = conversation.updated = Date.now();
  store.save(conversation);
  changed(conversation, "turns");
}

/** The newest messages that the server takes, beginning with one of the person's. */
function window_(turns) {
  const said = turns.map(({ role, content }) => ({ role, content: sendable(content).slice(0, limits.chars).toWellFormed() }));
  const newest = said.filter(({ content }) => content.trim()).slice(-limits.messages); // of a reply, nothing may be left
  return newest.slice(newest.findIndex(({ role }) => role === "user"));
}
