// Draws a conversation. Texts of visitors and models only ever become text nodes, never HTML.

import * as chat from "./chat.js";
import { $, element } from "./dom.js";
import * as feedback from "./feedback.js";
import { t } from "./i18n.js";
import { iconButton } from "./icons.js";
import { name as character, portrait } from "./persona.js";
import { watchSwipes } from "./swipe.js";
import { families, path, siblings } from "./tree.js";

/** @import { Conversation, Families, Turn } from "./tree.js" */

const list = $("messages");
const scroller = $("scroller");
const jump = $("jump");

let follow = true; // whether the newest text is kept in view
/** @type {{conversation: Conversation, families: Families, turns: Turn[], actions: Record<string, any>}} */
let shown = /** @type {any} */ ({ conversation: null, families: new Map(), turns: [], actions: null });

/**
 * Draw the turns of a conversation. `actions` are {edit(turn), again(turn), choose(turn)} and, where feedback is taken,
 * {rate(turn, rating), better(turn)}; `editing` is the turn that is being edited.
 * @param {Conversation} conversation
 * @param {Record<string, any>} actions
 * @param {Turn | null} editing
 */
export function drawTurns(conversation, actions, editing = null) {
  const focused = focus();
  const children = families(conversation);
  const turns = path(conversation, children);
  shown = { conversation, families: children, turns, actions };
  list.replaceChildren(...turns.map((turn, index) => draw(turn, index, editing)));
  // The buttons are new: the focus goes to the one that takes the place of the focused one.
  const pressed = focused && list.children[focused.index]?.querySelector(`[data-act="${focused.act}"]`);
  /** @type {HTMLElement | null} */ (pressed)?.focus();
  keepInSight();
}

/**
 * Draw the reply that is growing, and nothing else.
 * @param {Conversation} conversation
 */
export function drawGrowth(conversation) {
  const reply = chat.replyOf(conversation);
  const item = list.querySelector(".waiting, .growing");
  if (!reply || !item) return;
  fill(item, reply);
  keepInSight();
}

/** Go to the newest message and stay there until the visitor scrolls away. */
export function toNewest() {
  follow = true;
  keepInSight();
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
  } else if (beyond && by > 0 && last && turn.role === "assistant") shown.actions.again(turn);
}

/** The turn that an element belongs to. */
export const turnAt = (target) => shown.turns[[...list.children].indexOf(target.closest?.(".turn"))];

scroller.addEventListener("scroll", () => {
  follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  jump.hidden = follow;
}, { passive: true });
jump.addEventListener("click", toNewest);
// A keyboard on a phone, or a longer draft, takes space: keep the newest words above it.
new ResizeObserver(() => keepInSight()).observe(scroller);
watchSwipes(list, (item, by) => step(turnAt(item), by, true));
// Without a pointer that hovers, a tap shows the buttons of an older turn.
list.addEventListener("click", (event) => {
  for (const item of list.children) item.classList.toggle("tapped", item.contains(/** @type {Node} */ (event.target)));
});

function keepInSight() {
  if (!shown.turns.length) scroller.scrollTop = 0; // the greeting is read from its top
  else if (follow) scroller.scrollTop = scroller.scrollHeight;
}

function focus() {
  const here = /** @type {HTMLElement | null} */ (document.activeElement);
  const act = here?.dataset?.act;
  return act ? { act, index: [...list.children].indexOf(/** @type {Element} */ (here.closest(".turn"))) } : null;
}

/**
 * @param {Turn} turn
 * @param {number} index
 * @param {Turn | null} editing
 */
function draw(turn, index, editing) {
  const isReply = turn.role === "assistant";
  const idle = !chat.isRunning(shown.conversation);
  const item = element("li", `turn ${isReply ? "reply" : "message"}`);
  const all = /** @type {Turn[]} */ (shown.families.get(turn.parent));
  item.classList.toggle("can-swipe", idle && (all.length > 1 || (isReply && index === shown.turns.length - 1)));
  item.classList.toggle("edited", turn === editing);
  if (isReply) {
    const face = element("img", "face");
    Object.assign(face, { src: portrait, alt: "", width: 36, height: 36 });
    item.append(face);
  }
  const bubble = element("div", "bubble");
  bubble.append(element("span", "hidden", `${isReply ? character : t("you")}: `), element("span", "text"));
  const tools = element("div", "tools"); // also without buttons, so that nothing moves when they appear
  if (all.length > 1) tools.append(variants(turn, all, idle));
  const row = element("div", "actions");
  row.append(...buttons(turn, shown.turns[index - 1], idle));
  tools.append(row);
  const body = element("div", "body");
  body.append(bubble, element("p", "note"), tools);
  item.append(body);
  fill(item, turn);
  return item;
}

/**
 * ‹ 2/3 ›
 * @param {Turn} turn
 * @param {Turn[]} all
 * @param {boolean} idle
 */
function variants(turn, all, idle) {
  const here = all.indexOf(turn);
  const group = element("div", "variants");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", t("variantLabel", here + 1, all.length));
  const arrow = (act, by) => {
    const made = button(act === "earlier" ? "left" : "right", act, () => step(turn, by));
    // Not `disabled`: the focus would be lost at each end.
    if (!idle || !all[here + by]) made.setAttribute("aria-disabled", "true");
    return made;
  };
  group.append(arrow("earlier", -1), element("span", "count", t("variant", here + 1, all.length)), arrow("later", 1));
  return group;
}

/**
 * @param {Turn} turn
 * @param {Turn | undefined} before
 * @param {boolean} idle
 */
function buttons(turn, before, idle) {
  const { actions } = shown;
  const made = [];
  if (turn.content && turn.state !== "thinking" && navigator.clipboard) made.push(copyButton(turn));
  if (!idle) return made;
  if (turn.role === "user") return [...made, button("pencil", "edit", () => actions.edit(turn))];
  made.push(button("again", "regenerate", () => actions.again(turn)));
  if (!actions.rate || !feedback.possible(before, turn)) return made;
  for (const [rating, name] of [["up", "good"], ["down", "bad"]]) {
    const thumb = button(`thumb-${rating}`, name, () => actions.rate(turn, turn.rating === rating ? null : rating));
    thumb.setAttribute("aria-pressed", String(turn.rating === rating));
    made.push(thumb);
  }
  const better = button("quote", "better", () => actions.better(turn));
  better.classList.toggle("done", Boolean(turn.better));
  return [...made, better];
}

function button(picture, act, onClick) {
  const button = iconButton(picture, t(act), onClick);
  button.dataset.act = act;
  return button;
}

function copyButton(turn) {
  const made = button("copy", "copy", async () => {
    await navigator.clipboard.writeText(turn.content);
    made.title = t("copied");
    made.setAttribute("aria-label", t("copied"));
    made.classList.add("done");
  });
  return made;
}

/**
 * @param {Element} item
 * @param {Turn} turn
 */
function fill(item, turn) {
  const waiting = turn.state === "thinking" && !turn.content;
  item.classList.toggle("waiting", waiting);
  item.classList.toggle("growing", turn.state === "thinking" && !waiting);
  item.setAttribute("aria-busy", String(turn.state === "thinking"));
  /** @type {Element} */ (item.querySelector(".text")).textContent = waiting ? "" : turn.content;
  /** @type {Element} */ (item.querySelector(".note")).textContent = note(turn, waiting);
}

/**
 * @param {Turn} turn
 * @param {boolean} waiting
 */
function note(turn, waiting) {
  if (waiting) return turn.place ? t("queued", turn.place) : t("thinking");
  const notes = { stopped: t("stopped"), cut: t("cut"), broken: t("broken") };
  return [notes[turn.state], turn.dropped && t("forgot", turn.dropped)].filter(Boolean).join(" ");
}
