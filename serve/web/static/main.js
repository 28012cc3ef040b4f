// Wires the page together: which conversation is shown, what its buttons do, the keys, the connection.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import * as connection from "./connection.js";
import { ask } from "./dialog.js";
import { $ } from "./dom.js";
import * as drafts from "./drafts.js";
import * as errors from "./errors.js";
import * as exchange from "./exchange.js";
import * as feedback from "./feedback.js";
import { drawWords, startHeader } from "./header.js";
import { t } from "./i18n.js";
import { drawIcons } from "./icons.js";
import { clearSearch, drawList, showDrawer } from "./sidebar.js";
import * as store from "./store.js";
import { clean } from "./text.js";
import { create, path, siblings } from "./tree.js";
import { drawGrowth, drawTurns, step, toNewest, turnAt } from "./view.js";

/** @import { Conversation, Turn } from "./tree.js" */

const TOAST_MS = 6000;
const KNOWN = "unread-known";
const { character } = document.body.dataset;
const open = new Map(); // conversations of this tab, so that one that is answered in the background is not lost
let current = /** @type {Conversation} */ (/** @type {unknown} */ (null)); // until the first one is shown
/** @type {Record<string, any> | null} */
let info = null; // what api/info says

// ---------------------------------------------------------------- what is shown

function show(conversation) {
  current = conversation;
  open.set(conversation.id, conversation);
  composer.endEdit();
  composer.put(drafts.of(conversation));
  draw();
  toNewest();
}

function draw() {
  const busy = chat.isRunning(current);
  $("empty").hidden = current.nodes.length > 0;
  drawTurns(current, { ...turnActions, ...(info?.feedback && feedbackActions) }, composer.editedTurn());
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  $("revoke").hidden = !feedback.agreed();
  drawList(current.id, listActions); // first: it tells what the storage is like
  $("kept").hidden = store.problem() === "forbidden"; // it would not be true
  drawTrouble();
}

/** Say what is wrong, and offer to do it once more where that may help. What the storage suffers from lasts, and is always said. */
function drawTrouble(text = troubleText(), retry = text && mayAskAgain() ? askAgain : null) {
  const unread = store.unread().some((one) => !known().includes(one));
  const all = [text, store.problem() && t(store.problem()), unread && t("unread")].filter(Boolean);
  $("trouble").hidden = !all.length;
  $("trouble-text").textContent = all.join(" ");
  $("retry").hidden = !retry;
  $("retry").onclick = retry;
  $("understood").hidden = !unread;
}

/** What the person knows to be unreadable. */
const known = () => (store.setting(KNOWN) ?? "").split(" ");

$("understood").addEventListener("click", () => {
  store.saveSetting(KNOWN, store.unread().join(" "));
  drawTrouble();
  composer.focusInput();
});

const mayAskAgain = () => errors.mayPass(chat.troubleOf(current)?.error ?? {});

function troubleText() {
  const trouble = chat.troubleOf(current);
  if (trouble && !navigator.onLine) return t("offline");
  if (trouble && trouble.error.code !== "loading" && connection.isWaiting() && chat.isWaitedFor(trouble)) return t("resuming");
  if (trouble) return errors.words(trouble.error);
  // A message whose answer never came: it was stopped before its first word, or the page was closed.
  return path(current).at(-1)?.role === "user" && !chat.isRunning(current) ? t("unanswered") : null;
}

/** Say something in passing: it is read out, and goes by itself. */
let mentioned = 0;
function mention(text) {
  clearTimeout(mentioned);
  $("toast").textContent = text;
  mentioned = setTimeout(() => ($("toast").textContent = ""), TOAST_MS);
}

chat.onChange((conversation, what) => {
  if (!open.has(conversation.id)) return store.remove(conversation.id); // deleted while he was answering
  if (chat.lost().length) connection.whenBack(resume);
  if (what === "text") return conversation === current ? grow(conversation) : undefined;
  if (conversation !== current) return drawList(current.id, listActions);
  draw();
  const last = path(conversation).at(-1);
  if (!chat.isRunning(conversation) && last?.role === "assistant") $("announce").textContent = `${character}: ${last.content}`;
});

function grow(conversation) {
  drawGrowth(conversation);
  const { place, content } = chat.replyOf(conversation);
  const queued = place && !content ? t("queued", place) : "";
  if (queued && $("announce").textContent !== queued) $("announce").textContent = queued;
}

// ---------------------------------------------------------------- what the buttons do

const turnActions = {
  edit(turn) {
    composer.startEdit(turn);
    draw();
  },
  again(turn) {
    composer.endEdit();
    toNewest();
    chat.again(current, turn);
    composer.focusInput();
  },
  choose(turn) {
    composer.endEdit();
    chat.choose(current, turn);
    const all = siblings(current, turn);
    $("announce").textContent = `${t("variantLabel", all.indexOf(turn) + 1, all.length)}: ${turn.content}`;
  },
};

const feedbackActions = {
  rate: (turn, rating) => opinion(turn, { rating, better: turn.better || null }),
  async better(turn) {
    if (!(await feedback.agree())) return;
    /** @type {Parameters<typeof ask>[0]} */
    const asked = { title: t("betterTitle", character), note: t("betterNote"), yes: t("sendIt"), field: "area", max: feedback.MAX_CHARS };
    const better = await ask({ ...asked, value: turn.better || turn.content });
    const words = clean(better ?? "");
    if (words && words !== turn.content.trim()) await opinion(turn, { rating: turn.rating ?? null, better: words });
  },
};

async function opinion(turn, what) {
  const conversation = current;
  if (!(await feedback.agree())) return;
  try {
    await feedback.send(conversation, turn, what);
    mention(t("thanks"));
    draw();
  } catch (error) {
    draw();
    drawTrouble(`${t("notSent")} ${errors.words(error)}`, () => opinion(turn, what));
  }
}

const listActions = {
  open(id) {
    show(open.get(id) ?? store.all().find((one) => one.id === id) ?? create());
    showDrawer(false);
    composer.focusInput();
  },
  menu: (one) => [
    { icon: "pencil", label: t("rename"), act: () => rename(one) },
    { icon: "save", label: t("saveJson"), act: () => exchange.saveJson([one], one.title) },
    { icon: "file", label: t("saveMarkdown"), act: () => exchange.saveMarkdown(one) },
    { icon: "bin", label: t("remove"), act: () => remove(one), danger: true },
  ],
};

async function rename(one) {
  const title = await ask({ title: t("renameTitle"), yes: t("save"), field: "line", value: one.title });
  if (!title?.trim()) return;
  const known = open.get(one.id) ?? one;
  [known.title, known.titled] = [title.trim(), Date.now()];
  store.save(known);
  draw();
}

async function remove(one) {
  const asked = { title: t("removeTitle", one.title || t("untitled")), note: t("removeNote"), yes: t("remove"), danger: true };
  if ((await ask(asked)) === null) return;
  const gone = open.get(one.id);
  if (gone) chat.forget(gone);
  open.delete(one.id);
  drafts.keep(one, "");
  store.remove(one.id);
  if (current.id === one.id) show(store.all()[0] ?? create());
  else draw();
}

function begin() {
  clearSearch();
  show(create());
  showDrawer(false);
  composer.focusInput();
}

$("new").addEventListener("click", begin);
$("revoke").addEventListener("click", () => {
  feedback.revoke();
  mention(t("revoked"));
  draw();
});
exchange.listen((conversations) => {
  clearSearch();
  for (const one of open.values()) store.catchUp(one); // what is open here may have been added to
  listActions.open(conversations[0].id);
  mention(t("imported", conversations.length));
});

// ---------------------------------------------------------------- the composer and the keys

/**
 * @param {string} text
 * @param {Turn | null} edited
 */
function say(text, edited = null) {
  clearSearch();
  toNewest();
  drafts.keep(current, ""); // a conversation that begins now takes it along under a name of its own
  chat.say(current, text, ...(edited ? [edited.parent] : []));
  keepDraft();
}

const keepDraft = () => drafts.keep(current, composer.draft());

function submit() {
  const text = clean(composer.text()); // first, since what is left of a message may be nothing
  const { length } = text;
  if (!length || chat.isRunning(current)) return;
  if (length > chat.maxChars()) return drawTrouble(t("tooLong", length, chat.maxChars()), null);
  const edited = composer.editedTurn();
  composer.put("");
  composer.endEdit();
  say(text, edited);
}

function askAgain() {
  chat.again(current);
  composer.focusInput();
}

function leaveEdit() {
  composer.endEdit();
  draw();
}

composer.listen({
  submit,
  written: keepDraft,
  arrow(key) {
    const turns = path(current);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const turn = turns.findLast((one) => one.role === (by ? "assistant" : "user"));
    if (!turn || chat.isRunning(current)) return;
    if (by) step(turn, by);
    else if (key === "ArrowUp") turnActions.edit(turn);
  },
});
$("messages").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const turn = by && turnAt(event.target);
  if (turn) step(turn, by);
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || $("dialog").open) return;
  if (!$("scrim").hidden) $("scrim").click();
  else if (chat.isRunning(current)) chat.stop(current);
  else if (composer.editedTurn()) leaveEdit();
});
$("stop").addEventListener("click", () => {
  chat.stop(current);
  composer.focusInput();
});
$("edit-cancel").addEventListener("click", leaveEdit);

// ---------------------------------------------------------------- from and to the world outside

function words() {
  drawWords(info, (prompt) => {
    say(prompt);
    composer.focusInput();
  });
  composer.grow();
}

async function loadInfo() {
  try {
    const response = await fetch("api/info");
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    info = await response.json();
    chat.setLimits(/** @type {any} */ (info).limits);
    words();
    draw();
  } catch {
    drawTrouble(t("lost"), loadInfo);
    connection.whenBack(resume);
  }
}

function resume() {
  mention(t("back"));
  if (!info) loadInfo();
  drawTrouble();
  chat.resume();
}

store.watch(() => {
  // Another tab has changed something.
  for (const one of open.values()) store.catchUp(one);
  draw();
});
addEventListener("pagehide", () => chat.keepUnfinished());
addEventListener("beforeunload", (event) => {
  if (store.wouldLose()) event.preventDefault(); // the browser asks whether to leave
});
addEventListener("online", () => drawTrouble());
addEventListener("offline", () => drawTrouble(t("offline"), null));

startHeader(() => {
  words();
  draw();
});
drawIcons();
words();
show(store.all()[0] ?? create());
loadInfo();
composer.focusInput();
