// Wires the room's page together: the list of conversations, the composer, the buttons, the storage.

import * as composer from "../composer.js";
import { ask as question, tell } from "../dialog.js";
import { $, element } from "../dom.js";
import * as drafts from "../drafts.js";
import * as errors from "../errors.js";
import * as exchange from "../exchange.js";
import * as files from "../files.js";
import { drawWords, startHeader } from "../header.js";
import { currentLanguage, t } from "../i18n.js";
import { drawIcons } from "../icons.js";
import { keptList } from "../kept_list.js";
import * as markdown from "../markdown.js";
import { limits } from "../server.js";
import { saveSetting, setting } from "../settings.js";
import { clearSearch, drawList } from "../sidebar.js";
import * as store from "../store.js";
import { clean } from "../text.js";
import { mention } from "../toast.js";
import { leaf, path } from "../tree.js";
import * as people from "./people.js";
import * as talk from "./talk.js";
import { drawEmpty, drawGrowth, drawHeader, drawNext, drawTurns, toNewest } from "./view.js";

/** @import { Conversation, Turn } from "../tree.js" */

const TURNS = [2, 4, 6, 10]; // without the visitor
const open = /** @type {Map<string, Conversation & {people: string[]}>} */ (new Map()); // by id
let current = fresh();
let said = ""; // what the visitor should know, until they go on

/** A new conversation with those who were together last. */
function fresh() {
  return talk.create(people.together((setting("people") ?? "").split(" ")));
}

// ---------------------------------------------------------------- drawing

function draw() {
  const busy = talk.isRunning(current);
  const begun = leaf(current) !== null;
  $("empty").hidden = begun;
  drawHeader(current);
  drawEmpty(current, { toggle, begin });
  drawTurns(current, remove);
  drawNext(current, answer);
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  $("kept").hidden = store.problem() === "forbidden"; // it would not be true
  drawList(current.id, actions);
  drawTrouble();
}

function drawAllWords() {
  drawWords(null);
  document.title = `${t("room")}: ${people.everyone().map(({ name }) => name).join(", ")}`;
  $("input").placeholder = t("roomPlaceholder");
  const label = t("roomName", talk.visitorName());
  $("visitor").title = label;
  $("visitor").setAttribute("aria-label", label);
  const turns = /** @type {HTMLSelectElement} */ ($("let-talk-turns"));
  const chosen = turns.value || "4";
  turns.replaceChildren(...TURNS.map((n) => Object.assign(element("option", "", t("letTalkCount", n)), { value: String(n) })));
  turns.value = chosen;
  composer.grow();
}

function drawTrouble(text = "") {
  const trouble = talk.troubleOf(current);
  const mayRetry = Boolean(trouble && !text && errors.mayPass(trouble.error));
  const gone = leaf(current) !== null && !people.mayMeet(current.people ?? []) ? t("noConsent") : "";
  const all = [text || said || (trouble ? words(trouble.error) : gone), store.problem() && t(store.problem()), store.unread().length && t("unread")];
  const told = all.filter(Boolean).join(" ");
  $("trouble").hidden = !told;
  $("trouble-text").textContent = told;
  $("retry").hidden = !mayRetry;
}

/** What is told of a failed answer; several may be meant, so the page's words for one character do not fit. */
const words = (error) => ({ busy: t("roomBusy"), conversation_too_long: t("roomTooLong") })[error.code] ?? errors.words(error);

talk.onChange((conversation, what) => {
  if (!open.has(conversation.id)) return store.remove(conversation.id); // deleted during its answer
  if (conversation !== current) return what === "turns" ? drawList(current.id, actions) : undefined;
  if (what === "text") return drawGrowth(talk.replyOf(conversation));
  draw();
  const last = leaf(conversation);
  if (!talk.isRunning(conversation) && last?.speaker) $("announce").textContent = `${people.nameOf(last.speaker)}: ${last.content}`;
});

// ---------------------------------------------------------------- what the visitor does

function show(conversation) {
  current = conversation;
  said = "";
  open.set(conversation.id, conversation);
  composer.put(drafts.of(conversation));
  draw();
  toNewest();
}

const isBusy = () => talk.isRunning(current) || talk.turnsLeft(current) > 0;

function goOn() {
  said = "";
  clearSearch();
  toNewest();
}

function submit() {
  const text = clean(composer.text());
  if (!text || isBusy()) return;
  if (text.length > limits().chars) return drawTrouble(t("tooLong", text.length, limits().chars));
  goOn();
  drafts.keep(current, ""); // before the first turn: a new conversation shares its draft with others
  composer.put("");
  talk.say(current, text);
  drafts.keep(current, "");
}

function begin(id, text) {
  goOn();
  const draft = composer.text();
  drafts.keep(current, "");
  talk.begin(current, id, text);
  drafts.keep(current, draft); // what was being written goes along
}

function answer(id) {
  if (isBusy() || !leaf(current) || talk.lastSpeaker(current) === id) return;
  goOn();
  talk.ask(current, id);
}

function letTalk() {
  if (isBusy()) return;
  let most = Number(/** @type {HTMLSelectElement} */ ($("let-talk-turns")).value);
  if (!leaf(current)) {
    const first = current.people.find((id) => people.greeting(id, currentLanguage()));
    const greeting = people.greeting(first, currentLanguage());
    if (!first || !greeting) return;
    begin(first, greeting.text);
    most -= 1;
  }
  goOn();
  talk.letTalk(current, most);
}

/** Let a character in or out, before anyone has spoken. Who may not meet the others takes their place. */
function toggle(id) {
  const { people: here } = current;
  const wanted = here.includes(id) ? here.filter((one) => one !== id) : [id, ...here];
  const chosen = people.together(wanted);
  const order = people.everyone().map((one) => one.id);
  current.people = chosen.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  saveSetting("people", current.people.join(" "));
  draw();
}

function remove(turn) {
  if (isBusy()) return;
  const undo = talk.removeTurn(current, turn);
  mention(t("removedTurn"), { label: t("undo"), act: undo });
  composer.focusInput();
}

async function nameVisitor() {
  const given = await question({ title: t("visitorName"), note: t("roomNameNote"), yes: t("save"), field: "line", value: talk.visitorName(), max: 60 });
  if (given === null) return;
  const name = clean(given.replace(/[\s:：]+/g, " "));
  if (people.everyone().some((one) => one.name.toLowerCase() === name.toLowerCase())) return tell(t("visitorName"), t("nameTaken"));
  saveSetting(talk.VISITOR_SETTING, name || null);
  drawAllWords();
  draw();
}

// ---------------------------------------------------------------- the list of conversations

const kept = keptList({ open, create: fresh, show, shown: () => current, draw, forget: talk.forget });

const actions = {
  open: kept.open,
  menu: (one) => [
    { icon: "pencil", label: t("rename"), act: () => kept.rename(one) },
    { icon: "file", label: t("saveMarkdown"), act: async () => saveMarkdown(await kept.whole(one.id)) },
    { icon: "bin", label: t("remove"), act: () => kept.remove(one), danger: true },
  ],
};

function saveMarkdown(one) {
  const turns = path(one).map(({ speaker, content }) => ({ role: speaker ?? "user", content }));
  const names = Object.fromEntries(turns.map(({ role }) => [role, people.nameOf(role)]));
  const all = { ...names, user: talk.visitorName() || t("you"), assistant: (one.people ?? []).map(people.nameOf).join(", ") };
  files.download(files.fileName(one.title, "md"), "text/markdown", markdown.write(one.title, turns, all));
}

$("export-all").addEventListener("click", async () => exchange.saveJson(await store.loadAll(), t("room")));

// ---------------------------------------------------------------- wiring

composer.listen({ submit, written: () => drafts.keep(current, composer.draft()), arrow() {} });
$("stop").addEventListener("click", () => {
  talk.stop(current);
  composer.focusInput();
});
$("let-talk").addEventListener("click", letTalk);
$("visitor").addEventListener("click", nameVisitor);
$("retry").addEventListener("click", () => {
  goOn();
  talk.retry(current);
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (!$("scrim").hidden) $("scrim").click();
  else if (isBusy()) talk.stop(current);
});

store.watch({
  async changed(id, turns) {
    const one = open.get(id);
    if (one) await store.catchUp(one, turns);
    draw();
  },
  deleted(id) {
    const one = open.get(id);
    open.delete(id);
    if (one) talk.forget(one);
    if (current.id !== id) return draw();
    const draft = composer.draft();
    show(fresh());
    if (draft) composer.put(draft);
    said = t("deletedElsewhere");
    draw();
  },
  drawn: draw,
});
addEventListener("pagehide", () => talk.keepUnfinished());
addEventListener("pageshow", async (event) => {
  if (!event.persisted) return; // else the browser kept the page as it was, and it heard nothing of other tabs
  for (const one of open.values()) await store.catchUp(one);
  draw();
});
addEventListener("beforeunload", (event) => {
  if (store.wouldLose()) event.preventDefault(); // the browser asks whether to leave
});

startHeader(() => {
  drawAllWords();
  draw();
});
drawIcons();
drawAllWords();
await store.start();
await kept.showStored();
composer.focusInput();
