// What happens in a conversation: asking, stopping, answering again, editing. Knows nothing of the page's elements;
// it tells `changed(conversation, what)` with "turns" when messages came or went and "text" when a reply grew.

import * as store from "./store.js";
import { answer } from "./stream.js";

const running = new Map(); // conversation id → {controller, reply}
const troubles = new Map(); // conversation id → ChatError

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

/** Say something. With `from`, an earlier own message and all after it give way to this one. */
export function say(conversation, text, from = conversation.messages.length) {
  conversation.messages.splice(from);
  conversation.messages.push({ role: "user", content: clean(text) });
  conversation.title ||= title(text);
  return ask(conversation);
}

/** Ask for the last reply once more. The old one comes back if no new one does. */
export function again(conversation) {
  const last = conversation.messages.at(-1);
  return ask(conversation, last?.role === "assistant" ? conversation.messages.pop() : null);
}

/** Keep what has arrived when the page goes away in the middle of an answer. */
export function keepUnfinished(find) {
  for (const [id, { reply }] of running) {
    const conversation = find(id);
    if (conversation) store.save({ ...conversation, messages: finished(conversation, reply) });
  }
}

async function ask(conversation, former = null) {
  const controller = new AbortController();
  const reply = { role: "assistant", content: "", state: "thinking" };
  const sent = window_(conversation.messages);
  running.set(conversation.id, { controller, reply });
  troubles.delete(conversation.id);
  conversation.updated = Date.now();
  store.save(conversation);
  conversation.messages.push(reply);
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
    if (!controller.signal.aborted) troubles.set(conversation.id, error);
  }
  running.delete(conversation.id);
  if (!reply.content.trim()) {
    conversation.messages.splice(conversation.messages.indexOf(reply), 1, ...(former ? [former] : []));
  }
  delete reply.place;
  conversation.updated = Date.now();
  store.save(conversation);
  changed(conversation, "turns");
}

const finished = (conversation, reply) =>
  conversation.messages.flatMap((m) => (m !== reply ? [m] : m.content.trim() ? [{ ...m, state: "broken" }] : []));

/** The newest messages that the server takes, beginning with one of the person's. */
function window_(messages) {
  const turns = messages.slice(-limits.messages).map(({ role, content }) => ({ role, content }));
  const first = turns.findIndex((m) => m.role === "user");
  return turns.slice(first).map((m) => ({ ...m, content: m.content.slice(0, limits.chars) }));
}

/** Control characters come along when people paste from other programs; the server would refuse them. */
// eslint-disable-next-line no-control-regex
const clean = (text) => text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "").toWellFormed().trim();

const title = (text) => {
  const line = text.trim().split("\n", 1)[0];
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
};
