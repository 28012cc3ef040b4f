// Draws the newest turns of a conversation, keeps what was drawn, and scrolls. One turn is in turn_view.js.

import * as chat from "./chat.js";
import * as counting from "./counting.js";
import { $, element } from "./dom.js";
import { t } from "./i18n.js";
import { watchSwipes } from "./swipe.js";
import { families, parentOf, path, siblings, turnBefore } from "./tree.js";
import { draw, fill, look } from "./turn_view.js";

/** @import { Conversation, Turn } from "./tree.js" */

const AT_ONCE = 100; // turns: a browser lays out this many without a noticeable pause

const list = $("messages");
const scroller = $("scroller");
const jump = $("jump");
const earlier = $("earlier");

let follow = true; // whether the newest text is kept in view
let from = 0; // the first turn that is drawn
let scheduled = false;
let growth = false; // whether the growing reply has more text than is drawn
/** @type {{conversation: Conversation, turns: Turn[], actions: Record<string, any>}} */
let shown = /** @type {any} */ ({ conversation: null, turns: [], actions: null });
const looks = new WeakMap(); // a drawn turn → what it looked like

/**
 * Draw the turns of a conversation. `actions` are {edit(turn), again(turn), choose(turn)} and, where feedback is taken,
 * {rate(turn, rating), better(turn)}; `editing` is the turn that is being edited.
 * @param {Conversation} conversation
 * @param {Record<string, any>} actions
 * @param {Turn | null} editing
 */
export function drawTurns(conversation, actions, editing = null) {
  const turns = path(conversation);
  const newest = Math.max(0, turns.length - AT_ONCE);
  from = conversation === shown.conversation && !follow ? Math.min(from, newest) : newest;
  if (conversation !== shown.conversation) list.replaceChildren();
  shown = { conversation, turns, actions };
  list.classList.toggle("busy", chat.isRunning(conversation));
  drawFrom(editing);
  schedule();
}

function drawFrom(editing) {
  const { conversation, turns, actions } = shown;
  const children = families(conversation);
  const focused = focus();
  const drawn = new Map([.../** @type {HTMLCollectionOf<HTMLElement>} */ (list.children)].map((item) => [item.dataset.id, item]));
  turns.slice(from).forEach((turn, index) => {
    const all = children.get(parentOf(conversation, turn)) ?? [];
    const before = turns[from + index - 1] ?? null;
    const place = { turn, before, all, last: turn === turns.at(-1), edited: turn === editing, actions, step };
    const looked = look(place);
    let item = drawn.get(turn.id);
    if (!item || looks.get(item) !== looked) item = draw(place);
    looks.set(item, looked);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  while (list.children.length > turns.length - from) list.lastElementChild?.remove();
  // A turn that was drawn again has new buttons: the focus goes to the one that takes the place of the focused one.
  if (focused && !document.contains(focused.button)) {
    const pressed = list.children[focused.index]?.querySelector(`[data-act="${focused.act}"]`);
    /** @type {HTMLElement | null} */ (pressed)?.focus();
  }
  drawMemory();
  earlier.hidden = from === 0;
  earlier.textContent = t("showEarlier", from);
}

/** Mark where the character's memory of the words themselves begins. */
export function drawMemory() {
  const first = counting.of(shown.conversation)?.from;
  for (const item of /** @type {HTMLCollectionOf<HTMLElement>} */ (list.children)) {
    item.classList.toggle("first-read", item.dataset.id === first);
    item.querySelector(".begins")?.remove();
    if (item.dataset.id === first) item.prepend(element("p", "begins", t("memoryBegins")));
  }
  schedule();
}

/** Draw the reply that is growing, and nothing else, with the browser's next picture. */
export function drawGrowth() {
  growth = true;
  schedule();
}

/** Go to the newest message and stay there until the visitor scrolls away. */
export function toNewest() {
  follow = true;
  schedule();
}

/** Show the previous (-1) or next (1) version of a turn; with `beyond`, past the last version of the last reply, a new one. */
export function step(turn, by, beyond = false) {
  if (chat.isRunning(shown.conversation)) return;
  const all = siblings(shown.conversation, turn);
  const next = all[all.indexOf(turn) + by];
  const last = turn === shown.turns.at(-1);
  if (next) {
    follow &&= last;
    shown.actions.choose(next);
  } else if (beyond && by > 0 && last && turn.role === "assistant" && turnBefore(shown.conversation, turn)?.role === "user") {
    shown.actions.again(turn);
  }
}

/** The turn that an element belongs to. */
export function turnAt(target) {
  const { id } = target.closest?.(".turn")?.dataset ?? {};
  return id && shown.turns.find((turn) => turn.id === id);
}

function showEarlier() {
  const below = scroller.scrollHeight - scroller.scrollTop;
  const first = list.firstElementChild;
  follow = false;
  from = Math.max(0, from - AT_ONCE);
  drawFrom(shown.turns.find((turn) => turn.id === /** @type {HTMLElement | null} */ (list.querySelector(".edited"))?.dataset.id));
  scroller.scrollTop = scroller.scrollHeight - below; // what was read stays where it was
  if (earlier.hidden) /** @type {HTMLElement | null} */ (first)?.querySelector("button")?.focus({ preventScroll: true });
}

/** Draw what has grown and scroll, once for each picture of the browser: reading a height lays the page out. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    if (growth) drawReply();
    if (!shown.turns.length) scroller.scrollTop = 0; // the greeting is read from its top
    else if (follow) scroller.scrollTop = scroller.scrollHeight;
  });
}

function drawReply() {
  growth = false;
  const reply = chat.replyOf(shown.conversation);
  const item = list.querySelector(".waiting, .growing");
  if (reply && item) fill(item, reply);
}

function focus() {
  const here = /** @type {HTMLElement | null} */ (document.activeElement);
  const act = here?.dataset?.act;
  return act ? { act, button: here, index: [...list.children].indexOf(/** @type {Element} */ (here.closest(".turn"))) } : null;
}

scroller.addEventListener("scroll", () => {
  follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  jump.hidden = follow;
}, { passive: true });
jump.addEventListener("click", toNewest);
earlier.addEventListener("click", showEarlier);
// A keyboard on a phone, or a longer draft, takes space: keep the newest words above it.
new ResizeObserver(schedule).observe(scroller);
watchSwipes(list, (item, by) => step(turnAt(item), by, true));
// Without a pointer that hovers, a tap shows the buttons of an older turn.
list.addEventListener("click", (event) => {
  for (const item of list.children) item.classList.toggle("tapped", item.contains(/** @type {Node} */ (event.target)));
});
