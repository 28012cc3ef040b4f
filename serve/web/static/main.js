// Wires the page together: drawing, the composer and the keys, the connection. What buttons do is in turn_actions.js and
// list_actions.js.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import * as connection from "./connection.js";
import { $, element } from "./dom.js";
import * as counting from "./counting.js";
import * as drafts from "./drafts.js";
import * as feedback from "./feedback.js";
import { drawWords, startHeader } from "./header.js";
import { t } from "./i18n.js";
import { drawIcons } from "./icons.js";
import { listActions, showStored } from "./list_actions.js";
import * as memory from "./memory.js";
import { drawOpening, greeting, turnGreeting } from "./opening.js";
import { name as character } from "./persona.js";
import * as preferences from "./preferences.js";
import * as server from "./server.js";
import * as session from "./session.js";
import { clearSearch, drawList } from "./sidebar.js";
import * as speech from "./speech.js";
import * as store from "./store.js";
import { clean } from "./text.js";
import { mention } from "./toast.js";
import { request } from "./transport.js";
import { create, leaf, path } from "./tree.js";
import { drawTrouble } from "./trouble.js";
import { edit, rewrite, turnActions } from "./turn_actions.js";
import { drawGrowth, drawMemory, drawTurns, step, toNewest, turnAt } from "./view.js";

/** @import { Turn } from "./tree.js" */

const { shown } = session;

// ---------------------------------------------------------------- drawing

session.onDraw(() => {
  const busy = chat.isRunning(shown());
  $("empty").hidden = leaf(shown()) !== null;
  drawOpening(shown(), sayOpening);
  drawTurns(shown(), turnActions(), composer.editedTurn());
  drawQuick();
  $("memory-open").hidden = !server.remembers();
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  $("revoke").hidden = !feedback.agreed();
  drawList(shown().id, listActions); // first: it finds out about problems of the storage
  $("kept").hidden = store.problem() === "forbidden"; // it would not be true
  drawTrouble();
});

function drawAllWords() {
  drawWords(server.info());
  composer.grow();
}

chat.onChange((conversation, what) => {
  if (!session.open.has(conversation.id)) return store.remove(conversation.id); // deleted during its answer
  if (chat.lost().length) connection.whenBack(resume);
  if (what === "text") return conversation === shown() ? grow(conversation) : undefined;
  if (conversation !== shown()) return drawList(shown().id, listActions);
  session.draw();
  const last = leaf(conversation);
  if (!chat.isRunning(conversation)) afterAnswer(conversation, last);
  if (!chat.isRunning(conversation) && last?.role === "assistant") $("announce").textContent = `${character}: ${last.content}`;
});

/** What an answer sets off: it may be read aloud, and what no longer fits is summed up. */
async function afterAnswer(conversation, last) {
  if (last?.role === "assistant" && last.state !== "stopped" && Date.now() - last.time < 1000 && speech.isOn()) speech.read(last.content);
  await memory.update(conversation);
}

/** Buttons that say what the visitor often says. */
function drawQuick() {
  const replies = leaf(shown()) ? preferences.quickReplies() : [];
  $("quick").hidden = !replies.length;
  if ([...$("quick").children].map((item) => item.textContent).join("\n") === replies.join("\n")) return;
  $("quick").replaceChildren(...replies.map((text) => {
    const item = element("li");
    const button = element("button", "", text);
    button.type = "button";
    button.addEventListener("click", () => chat.isRunning(shown()) || sayOpening(text));
    item.append(button);
    return item;
  }));
}

function drawCount() {
  const counted = counting.of(shown());
  $("count").textContent = counted ? t("counted", counted.tokens, counted.window) : "";
  $("count").classList.toggle("over", Boolean(counted && counted.tokens > counted.window));
  drawMemory();
}

function grow(conversation) {
  drawGrowth();
  const { place, content } = chat.replyOf(conversation);
  const queued = place && !content ? t("queued", place) : "";
  if (queued && $("announce").textContent !== queued) $("announce").textContent = queued;
}

// ---------------------------------------------------------------- the composer and the keys

/**
 * @param {string} text
 * @param {Turn | null} edited
 */
function say(text, edited = null) {
  clearSearch();
  session.say("");
  toNewest();
  drafts.keep(shown(), ""); // a new conversation gets a draft under its own id
  const first = leaf(shown()) === null && greeting(shown());
  if (first) chat.greet(shown(), first);
  chat.say(shown(), text, ...(edited ? [edited.parent] : []));
  keepDraft();
}

function sayOpening(text) {
  say(text);
  composer.focusInput();
}

function keepDraft() {
  drafts.keep(shown(), composer.draft());
  counting.soon();
}

function submit() {
  const text = clean(composer.text()); // first: nothing may be left of a message
  const { length } = text;
  if (!length || chat.isRunning(shown())) return;
  if (length > chat.maxChars()) return drawTrouble(t("tooLong", length, chat.maxChars()), null);
  const edited = composer.editedTurn();
  composer.put("");
  composer.endEdit();
  if (edited?.role === "assistant") rewrite(edited, text);
  else say(text, edited);
}

function leaveEdit() {
  composer.endEdit();
  session.draw();
}

composer.listen({
  submit,
  written: keepDraft,
  arrow(key) {
    const turns = path(shown());
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!turns.length && by) return turnGreeting(shown(), by);
    const turn = turns.findLast(({ role }) => role === (by ? "assistant" : "user"));
    if (!turn || chat.isRunning(shown())) return;
    if (by) step(turn, by, true);
    else if (key === "ArrowUp") edit(turn);
  },
});
$("messages").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const turn = by && turnAt(event.target);
  if (turn) step(turn, by);
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (!$("scrim").hidden) $("scrim").click();
  else if (chat.isRunning(shown())) chat.stop(shown());
  else if (composer.editedTurn()) leaveEdit();
});
$("stop").addEventListener("click", () => {
  chat.stop(shown());
  composer.focusInput();
});
$("edit-cancel").addEventListener("click", leaveEdit);
$("gear").addEventListener("click", () => preferences.show(settled));
$("memory-open").addEventListener("click", () => memory.show(shown(), settled));
counting.listen({ conversation: shown, draft: () => composer.text(), counted: drawCount });

function settled() {
  session.draw();
  counting.soon();
}

// ---------------------------------------------------------------- the server, other tabs, leaving

async function loadInfo() {
  try {
    const response = await request("api/info");
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const info = await response.json();
    server.setInfo(info);
    drawAllWords();
    session.draw();
    counting.soon();
  } catch {
    drawTrouble(t("lost"), loadInfo);
    connection.whenBack(resume);
  }
}

function resume() {
  mention(t("back"));
  if (!server.info()) loadInfo();
  drawTrouble();
  chat.resume();
}

store.watch({
  async changed(id, turns) {
    const one = session.open.get(id);
    if (one) await store.catchUp(one, turns);
    session.draw();
  },
  deleted(id) {
    const one = session.open.get(id);
    if (one) chat.forget(one);
    session.open.delete(id);
    if (shown().id !== id) return session.draw();
    const draft = composer.draft();
    session.show(create());
    if (draft) composer.put(draft);
    session.say(t("deletedElsewhere"));
  },
  drawn: session.draw,
});
addEventListener("pagehide", () => chat.keepUnfinished());
addEventListener("pageshow", async (event) => {
  if (!event.persisted) return; // else the browser kept the page as it was, and it heard nothing of other tabs
  for (const one of session.open.values()) await store.catchUp(one);
  session.draw();
});
addEventListener("beforeunload", (event) => {
  if (store.wouldLose()) event.preventDefault(); // the browser asks whether to leave
});

startHeader(() => {
  drawAllWords();
  session.draw();
});
drawIcons();
drawAllWords();
await store.start();
await showStored();
loadInfo();
composer.focusInput();
