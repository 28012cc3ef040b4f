// What the character is told beside the conversation: who the visitor is, pinned facts, and the summary of what no longer
// fits. The server puts it into the system prompt.

import { t } from "./i18n.js";
import * as server from "./server.js";
import { setting } from "./settings.js";
import { sendable } from "./text.js";

/** @import { Conversation } from "./tree.js" */

export const visitor = () => ({ name: setting("visitor-name") ?? "", about: setting("visitor-about") ?? "" });

/**
 * The keys `memory` and `pinned` of a request; empty where the server takes none.
 * @param {Conversation} conversation
 */
export function told(conversation) {
  if (!server.remembers()) return {};
  const { name, about } = visitor();
  const { memory, pinned, pinned_chars } = server.limits();
  const facts = [name && t("visitorIsCalled", name), about, ...(conversation.pinned ?? [])];
  const kept = facts.map((fact) => fit(fact, pinned_chars)).filter(Boolean).slice(0, pinned);
  const summary = conversation.memoryOff ? "" : fit(conversation.memory ?? "", memory);
  return { ...(summary && { memory: summary }), ...(kept.length && { pinned: kept }) };
}

const fit = (text, max) => sendable(text).trim().slice(0, max).toWellFormed();
