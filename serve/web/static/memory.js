// The character's memory of what no longer fits into the window: kept up to date after each answer, shown and edited in a
// dialog, with the pinned facts.

import * as counting from "./counting.js";
import { $ } from "./dom.js";
import { t } from "./i18n.js";
import * as server from "./server.js";
import * as store from "./store.js";
import { sendable } from "./text.js";
import { path } from "./tree.js";

/** @import { Conversation } from "./tree.js" */

const LEAST = 4; // turns that are worth a summary of their own

/**
 * Sum up what has fallen out of the window since the last time.
 * @param {Conversation} conversation
 */
export async function update(conversation) {
  if (!server.sumsUp() || conversation.memoryOff) return;
  await counting.count();
  const fallen = counting.of(conversation)?.fallen ?? [];
  const turns = path(conversation);
  const known = turns.findIndex(({ id }) => id === conversation.remembered); // -1 also on another branch: begin again
  const end = turns.findIndex(({ id }) => id === fallen.at(-1));
  const { messages, chars } = server.limits();
  const missing = turns.slice(known + 1, end + 1).slice(-messages);
  if (missing.length < LEAST) return;
  const said = missing.map(({ role, content }) => ({ role, content: sendable(content).slice(0, chars) }));
  const memory = known < 0 && conversation.remembered ? "" : (conversation.memory ?? "");
  const answer = await counting.post("api/memory", { messages: said, memory });
  if (typeof answer?.memory === "string" && (conversation.memory ?? "") === memory) {
    change(conversation, { memory: answer.memory, remembered: missing.at(-1)?.id });
  }
}

/** Change what is remembered, and store it. An open dialog whose text is as it was shows the new one. */
export function change(conversation, what) {
  Object.assign(conversation, what, { recalled: Date.now() });
  store.save(conversation);
  const summary = $("memory-text");
  const untouched = filled && filled.conversation === conversation && summary.value === filled.memory;
  if ($("memory").open && untouched) fill(conversation);
}

/** Keep a text in mind for good. */
export function pin(conversation, text) {
  const { pinned, pinned_chars } = server.limits();
  const facts = [...new Set([...(conversation.pinned ?? []), text.replace(/\s+/g, " ").trim().slice(0, pinned_chars)])];
  change(conversation, { pinned: facts.slice(-pinned) });
}

/** What the dialog was filled with: the memory of which conversation, and how far it reaches. */
let filled = /** @type {{conversation: Conversation, memory: string, remembered: string | undefined} | null} */ (null);

function fill(conversation) {
  const memory = conversation.memory ?? "";
  filled = { conversation, memory, remembered: conversation.remembered };
  $("memory-text").value = memory;
}

/** Show what the character remembers of a conversation; `saved()` is called when the visitor has changed it. */
export function show(conversation, saved) {
  const { memory, pinned, pinned_chars } = server.limits();
  const [on, summary, facts] = [$("memory-on"), $("memory-text"), $("memory-pinned")];
  /** @type {HTMLElement} */ (on.parentElement).hidden = !server.sumsUp();
  on.checked = !conversation.memoryOff;
  summary.maxLength = memory;
  fill(conversation);
  facts.value = (conversation.pinned ?? []).join("\n");
  $("memory-limits").textContent = t("pinnedLimits", pinned, pinned_chars);
  const form = /** @type {HTMLFormElement} */ ($("memory").firstElementChild);
  // Not "close", which may come only after the next message has been sent.
  form.onsubmit = () => {
    const before = /** @type {NonNullable<typeof filled>} */ (filled);
    const lines = facts.value.split("\n").map((line) => line.trim().slice(0, pinned_chars)).filter(Boolean).slice(0, pinned);
    // A summary that came while the visitor wrote is not in this text, so its turns are summed up once more.
    const text = summary.value === before.memory ? {} : { memory: summary.value.trim(), remembered: before.remembered };
    change(conversation, { memoryOff: !on.checked, pinned: lines, ...text });
    saved();
  };
  $("memory").showModal();
}

$("memory-no").addEventListener("click", () => $("memory").close());
