// Conversations in the files of other programs, as this page's own: SillyTavern's chats (JSON lines), messages as OpenAI's
// API has them (one conversation, a list, or one a line), ShareGPT, and the exports of Open WebUI and of llama.cpp's page.
// Turns that are neither the visitor's nor the character's (system prompts, tools, hidden remarks) are counted, not taken.

import { titleOf } from "./text.js";

/** @typedef {{role: string, content: string, swipes?: string[], swipe?: number}} Said */

const VISITOR = ["user", "human", "prompter"];
const CHARACTER = ["assistant", "gpt", "model", "bot", "chatgpt", "bing", "bard", "char", "character"];

const isList = Array.isArray;
const isObject = (value) => typeof value === "object" && value !== null && !isList(value);
const isMessage = (value) => isObject(value) && ("role" in value || "from" in value || "mes" in value);
/** Written by this page: `created` is in every version's conversations. */
const isOwn = (value) => isList(value?.nodes) || value?.format === "inosuke-chat" || Number.isFinite(value?.created && value?.updated);

/** The values of a file with one JSON value a line, or null where a line is something else. */
export function lines(text) {
  try {
    return text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
  } catch {
    return null;
  }
}

/**
 * The conversations of another program's file as {found, left}, or null for a file that is not known. `left` is how many
 * turns were not taken.
 */
export function read(value) {
  const told = talks(value);
  if (!told) return null;
  const found = told.map(({ title, messages }) => tree(title, messages.map(said)));
  return {
    found: found.map(({ left, ...one }) => one).filter(({ nodes }) => nodes.length),
    left: found.reduce((sum, { left }) => sum + left, 0),
  };
}

/** @returns {{title: string, messages: any[]}[] | null} */
function talks(value) {
  if (isOwn(value)) return null;
  if (isList(value)) {
    if (!value.length || value.some(isOwn)) return null;
    if ("mes" in Object(value[1]) && !("mes" in Object(value[0]))) return [{ title: named(value[0]), messages: value.slice(1) }];
    if (value.every(isMessage)) return [{ title: "", messages: value }];
    const each = value.map(talks);
    return each.every((one) => one !== null) ? each.flat() : null;
  }
  if (!isObject(value)) return null;
  if (isObject(value.chat)) return talks({ title: value.title, ...value.chat }); // Open WebUI
  if (isObject(value.conv) && isList(value.messages)) return [{ title: named(value.conv), messages: branch(value) }];
  if (isList(value.conversations) && !value.conversations.every(isMessage)) return talks(value.conversations);
  const messages = value.messages ?? value.conversations ?? value.conversation;
  if (!isList(messages) || !messages.length || !messages.every(isMessage)) return null;
  return [{ title: named(value), messages }];
}

const named = (value) => [value?.title, value?.name, value?.character_name].find((name) => typeof name === "string") ?? "";

/** The messages of llama.cpp's page from the first to the one that is shown. */
function branch({ conv, messages }) {
  const byId = new Map(messages.map((one) => [one.id, one]));
  const shown = [];
  for (let at = byId.get(conv.currNode) ?? messages.at(-1); at && !shown.includes(at); at = byId.get(at.parent)) shown.unshift(at);
  return shown.filter(({ type }) => type !== "root");
}

/** @returns {Said | null} */
function said(message) {
  const text = "mes" in message ? message.mes : (message.content ?? message.value ?? message.text);
  const content = (isList(text) ? text.map((part) => part?.text ?? "").join("") : String(text ?? "")).trim();
  if ("mes" in message) {
    if (message.is_system || !content) return null;
    const swipes = message.is_user || !isList(message.swipes) ? [] : message.swipes.map((one) => String(one ?? "").trim());
    return { role: message.is_user ? "user" : "assistant", content, swipes, swipe: message.swipe_id };
  }
  const speaker = String(message.role ?? message.from).toLowerCase();
  const role = VISITOR.includes(speaker) ? "user" : CHARACTER.includes(speaker) ? "assistant" : null;
  return role && content ? { role, content } : null;
}

/** One path of turns; the other versions of a reply stand beside it. */
function tree(title, messages) {
  const nodes = [];
  const chosen = {};
  let parent = null;
  for (const [number, message] of messages.entries()) {
    if (!message) continue;
    const { role, content, swipes = [], swipe } = message;
    const versions = [...swipes];
    const told = versions[swipe ?? -1] === content ? /** @type {number} */ (swipe) : versions.push(content) - 1;
    versions.forEach((text, version) => {
      if (text) nodes.push({ id: `m${number}v${version}`, parent, role, content: text, order: nodes.length });
    });
    chosen[parent ?? ""] = `m${number}v${told}`;
    parent = chosen[parent ?? ""];
  }
  const begins = nodes.find(({ role }) => role === "user") ?? nodes[0];
  return { title: title || titleOf(begins?.content ?? ""), nodes, chosen, left: messages.filter((message) => !message).length };
}
