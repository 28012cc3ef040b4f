// Draws the room: the turns, each with its speaker, the empty room, and the buttons for who speaks next. Texts of visitors
// and models only ever become text nodes, never HTML.

import { $, element } from "../dom.js";
import { nodes } from "../formatted.js";
import { currentLanguage, t } from "../i18n.js";
import { iconButton } from "../icons.js";
import { copyButton, factsTold } from "../turn_view.js";
import { path } from "../tree.js";
import * as people from "./people.js";
import * as talk from "./talk.js";

/** @import { Conversation, Turn } from "../tree.js" */

const list = $("messages");
const scroller = $("scroller");
const looks = new WeakMap(); // a drawn turn → what it looked like
let follow = true; // whether the newest text is kept in view
let scheduled = false;
let growing = /** @type {Turn | null} */ (null);
let drawn = /** @type {Conversation | null} */ (null);

/** Draw the turns of a conversation; `remove(turn)` is what the bin does. */
export function drawTurns(conversation, remove) {
  if (conversation !== drawn) list.replaceChildren();
  drawn = conversation;
  const before = new Map([.../** @type {HTMLCollectionOf<HTMLElement>} */ (list.children)].map((item) => [item.dataset.id, item]));
  const turns = path(conversation);
  list.classList.toggle("busy", talk.isRunning(conversation));
  turns.forEach((turn, index) => {
    const look = [turn.id, turn.time, turn.state, turn.speaker, turn.content.length, currentLanguage()].join(" ");
    let item = before.get(turn.id);
    if (!item || looks.get(item) !== look) item = draw(turn, remove);
    looks.set(item, look);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  while (list.children.length > turns.length) list.lastElementChild?.remove();
  schedule();
}

/** Draw a reply that is growing with the browser's next picture. */
export function drawGrowth(reply) {
  growing = reply;
  schedule();
}

/** Go to the newest turn and stay there until the visitor scrolls away. */
export function toNewest() {
  follow = true;
  schedule();
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    const item = growing && list.querySelector(`[data-id="${growing.id}"]`);
    if (item && growing) fill(item, growing);
    growing = null;
    if (!list.children.length) scroller.scrollTop = 0;
    else if (follow) scroller.scrollTop = scroller.scrollHeight;
  });
}

/** @param {Turn} turn */
function draw(turn, remove) {
  const isReply = turn.role === "assistant";
  const item = element("li", `turn ${isReply ? "reply" : "message"}`);
  item.dataset.id = turn.id;
  const body = element("div", "body");
  const bubble = element("div", "bubble");
  if (isReply) {
    item.append(face(turn.speaker, 36));
    const name = element("p", "speaker", turn.speaker ? people.nameOf(turn.speaker) : "");
    name.dir = "auto";
    body.append(name);
  } else bubble.append(element("span", "hidden", `${talk.visitorName() || t("you")}: `));
  bubble.append(element("div", "text"));
  body.append(bubble, element("p", "note"));
  if (turn.facts?.length) body.append(factsTold(turn.facts));
  const tools = element("div", "tools"); // also without buttons, so that nothing moves when they appear
  const row = element("div", "actions");
  if (turn.state !== "thinking") row.append(copyButton(turn), iconButton("bin", t("removeTurn"), () => remove(turn)));
  tools.append(row);
  body.append(tools);
  item.append(body);
  fill(item, turn);
  return item;
}

/** @param {Turn} turn */
function fill(item, turn) {
  const waiting = turn.state === "thinking" && !turn.content;
  item.classList.toggle("waiting", waiting);
  item.classList.toggle("growing", turn.state === "thinking" && !waiting);
  item.setAttribute("aria-busy", String(turn.state === "thinking"));
  item.querySelector(".text").replaceChildren(waiting ? "" : nodes(turn.content));
  item.querySelector(".note").textContent = note(turn, waiting);
}

function note(turn, waiting) {
  if (waiting && turn.reading) return t("reading", Math.round(turn.reading * 100));
  if (waiting) return turn.place ? t("queued", turn.place) : t("thinking");
  const notes = { stopped: t("stopped"), cut: t("cut"), broken: t("broken") };
  const forgot = turn.dropped && t("roomForgot", people.nameOf(turn.speaker), turn.dropped);
  return [notes[turn.state ?? ""], forgot].filter(Boolean).join(" ");
}

/** The portrait of a character; an empty circle until it is known who speaks. */
function face(id, size) {
  const portrait = people.portraitOf(id);
  if (!portrait) return element("span", "face no-portrait");
  const made = element("img", "face");
  return Object.assign(made, { src: portrait, alt: "", width: size, height: size });
}

// ---------------------------------------------------------------- the empty room, the header, who speaks next

let shownPeople = "";

/** Draw who may be here; `toggle(id)` lets one in or out, `begin(id, text)` lets one speak first. */
export function drawEmpty(conversation, { toggle, begin }) {
  const what = [conversation.id, conversation.people, currentLanguage()].join(" ");
  if (what === shownPeople) return; // new buttons would take the focus away
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.act;
  shownPeople = what;
  const choose = people.everyone().length > 2;
  $("room-intro").textContent = choose ? `${t("roomIntro")} ${t("roomChoose")}` : t("roomIntro");
  $("people").replaceChildren(...people.everyone().map(({ id, name }) => {
    const here = conversation.people.includes(id);
    const item = element("li", here ? "here" : "");
    const said = people.greeting(id, currentLanguage());
    const label = element(choose ? "button" : "p", "name", name);
    label.dir = "auto";
    if (label instanceof HTMLButtonElement) {
      label.type = "button";
      label.dataset.act = `toggle-${id}`;
      label.setAttribute("aria-pressed", String(here));
      label.addEventListener("click", () => toggle(id));
    }
    item.append(face(id, 96), label);
    if (!said) return item;
    const quote = element("p", "greeting", said.text);
    Object.assign(quote, { lang: said.language, dir: "auto" });
    item.append(quote);
    if (here) item.append(action(t("letBegin", name), `begin-${id}`, () => begin(id, said.text)));
    return item;
  }));
  if (focused) /** @type {HTMLElement | null} */ ($("people").querySelector(`[data-act="${CSS.escape(focused)}"]`))?.focus();
}

function action(text, act, press) {
  const made = element("button", "action", text);
  made.type = "button";
  made.dataset.act = act;
  made.addEventListener("click", press);
  return made;
}

let shownNext = "";

/** Draw the buttons for who answers. `answer(id)` lets one. What cannot be pressed now keeps its place and its focus. */
export function drawNext(conversation, answer) {
  const what = [conversation.id, conversation.people, currentLanguage()].join(" ");
  if (what !== shownNext) {
    shownNext = what;
    $("next-people").replaceChildren(...conversation.people.map((id) => {
      const button = action("", id, () => answer(id));
      button.title = t("letAnswer", people.nameOf(id));
      button.setAttribute("aria-label", button.title);
      button.append(face(id, 28), element("span", "wide-only", button.title), element("span", "narrow-only", t("answers", people.nameOf(id))));
      return button;
    }));
  }
  const last = talk.lastSpeaker(conversation);
  const busy = talk.isRunning(conversation) || talk.turnsLeft(conversation) > 0;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ ($("next-people").querySelectorAll("button"))) {
    disable(button, busy || last === undefined || last === button.dataset.act);
  }
  const speaks = conversation.people.some((id) => people.greeting(id, currentLanguage()));
  disable($("let-talk"), busy || (last === undefined && !speaks));
  $("let-talk-left").textContent = busy ? t("letTalkLeft", talk.turnsLeft(conversation)) : "";
}

/** Not `disabled`: the focus would be lost. */
const disable = (button, off) => (off ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled"));

/** Draw who is in the room, at the top. */
export function drawHeader(conversation) {
  const { people: here = [] } = conversation;
  $("faces").replaceChildren(...here.slice(0, 4).map((id) => face(id, 40)));
  $("who-is-here").textContent = here.map(people.nameOf).join(", ");
  $("status").textContent = t("room");
}

let top = 0;
scroller.addEventListener("scroll", () => {
  // Only a scroll upwards leaves the newest turn: several turns may have come before the browser tells of a scroll down.
  if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60) follow = true;
  else if (scroller.scrollTop < top) follow = false;
  top = scroller.scrollTop;
  $("jump").hidden = follow;
}, { passive: true });
$("jump").addEventListener("click", toNewest);
// A keyboard on a phone, or a longer draft, takes space: keep the newest words above it.
new ResizeObserver(schedule).observe(scroller);
// Without a pointer that hovers, a tap shows the buttons of an older turn.
list.addEventListener("click", (event) => {
  for (const item of list.children) item.classList.toggle("tapped", item.contains(/** @type {Node} */ (event.target)));
});
