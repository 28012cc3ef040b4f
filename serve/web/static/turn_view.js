// Draws one turn. Texts of visitors and models only ever become text nodes, never HTML.

import { copyText } from "./clipboard.js";
import { element } from "./dom.js";
import * as feedback from "./feedback.js";
import { nodes } from "./formatted.js";
import { currentLanguage, t } from "./i18n.js";
import { iconButton } from "./icons.js";
import { openMenu } from "./menu.js";
import { name as character, portrait } from "./persona.js";

/**
 * @import { Turn } from "./tree.js"
 * @typedef {{
 *   turn: Turn, before: Turn | null, all: Turn[], last: boolean, edited: boolean, actions: Record<string, any>,
 *   step(turn: Turn, by: number): void,
 * }} Place
 */

/** All that a turn's look depends on: where it is the same, the turn need not be drawn again. */
export const look = ({ turn, before, all, last, edited, actions }) =>
  [
    turn.id, turn.time, turn.state, turn.content.length, turn.rating, Boolean(turn.better), turn.dropped, turn.facts?.length, before?.id,
    all.indexOf(turn), all.length, last, edited, Object.keys(actions).join(), currentLanguage(),
  ].join(" ");

/** @param {Place} place */
export function draw(place) {
  const { turn, all, last, edited } = place;
  const isReply = turn.role === "assistant";
  const item = element("li", `turn ${isReply ? "reply" : "message"}`);
  item.dataset.id = turn.id;
  item.classList.toggle("can-swipe", all.length > 1 || (isReply && last));
  item.classList.toggle("edited", edited);
  if (isReply) {
    const face = element("img", "face");
    Object.assign(face, { src: portrait, alt: "", width: 36, height: 36 });
    item.append(face);
  }
  const bubble = element("div", "bubble");
  bubble.append(element("span", "hidden", `${isReply ? character : t("you")}: `), element("div", "text"));
  const tools = element("div", "tools"); // also without buttons, so that nothing moves when they appear
  if (all.length > 1) tools.append(variants(place));
  const row = element("div", "actions");
  row.append(...buttons(place));
  tools.append(row);
  const body = element("div", "body");
  body.append(bubble, element("p", "note"));
  if (isReply && turn.facts?.length) body.append(factsTold(turn.facts));
  body.append(tools);
  item.append(body);
  fill(item, turn);
  return item;
}

/**
 * Fill in what changes while a reply grows.
 * @param {Element} item
 * @param {Turn} turn
 */
export function fill(item, turn) {
  const waiting = turn.state === "thinking" && !turn.content;
  item.classList.toggle("waiting", waiting);
  item.classList.toggle("growing", turn.state === "thinking" && !waiting);
  item.setAttribute("aria-busy", String(turn.state === "thinking"));
  /** @type {Element} */ (item.querySelector(".text")).replaceChildren(waiting ? "" : nodes(turn.content));
  /** @type {Element} */ (item.querySelector(".note")).textContent = note(turn, waiting);
}

/**
 * @param {Turn} turn
 * @param {boolean} waiting
 */
function note(turn, waiting) {
  if (waiting && turn.reading) return t("reading", Math.round(turn.reading * 100));
  if (waiting) return turn.place ? t("queued", turn.place) : t("thinking");
  const notes = { stopped: t("stopped"), cut: t("cut"), broken: t("broken") };
  return [notes[turn.state ?? ""], turn.dropped && t("forgot", turn.dropped)].filter(Boolean).join(" ");
}

/**
 * What the lorebook told the character before a reply, closed until the visitor opens it.
 * @param {import("./tree.js").Fact[]} facts
 */
export function factsTold(facts) {
  const box = element("details", "facts");
  const list = element("ul");
  for (const { name, text } of facts) {
    const item = element("li");
    item.dir = "auto";
    item.append(element("strong", "", name), document.createTextNode(` ${text}`));
    list.append(item);
  }
  box.append(element("summary", "", t("facts", facts.length)), list);
  return box;
}

/**
 * ‹ 2/3 ›
 * @param {Place} place
 */
function variants({ turn, all, step }) {
  const here = all.indexOf(turn);
  const group = element("div", "variants");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", t("variantLabel", here + 1, all.length));
  const arrow = (act, by) => {
    const made = button(act === "earlier" ? "left" : "right", act, () => step(turn, by));
    // Not `disabled`: the focus would be lost at each end.
    if (!all[here + by]) made.setAttribute("aria-disabled", "true");
    return made;
  };
  group.append(arrow("earlier", -1), element("span", "count", t("variant", here + 1, all.length)), arrow("later", 1));
  return group;
}

/**
 * The buttons under a turn. While an answer is made, a style hides all but the first.
 * @param {Place} place
 */
function buttons({ turn, before, last, actions }) {
  const made = [];
  if (turn.state === "thinking") return made;
  if (turn.content) made.push(copyButton(turn));
  const more = button("more", "moreOfTurn", () => openMenu(more, actions.menu(turn)));
  more.setAttribute("aria-haspopup", "menu");
  more.setAttribute("aria-expanded", "false");
  if (turn.role === "user") return [...made, button("pencil", "edit", () => actions.edit(turn)), more];
  if (before?.role === "user") made.push(button("again", "regenerate", () => actions.again(turn)));
  if (last && actions.resume) made.push(button("forward", "resume", () => actions.resume(turn)));
  if (!actions.rate || !feedback.possible(before, turn)) return [...made, more];
  for (const [rating, name] of [["up", "good"], ["down", "bad"]]) {
    const thumb = button(`thumb-${rating}`, name, () => actions.rate(turn, turn.rating === rating ? null : rating));
    thumb.setAttribute("aria-pressed", String(turn.rating === rating));
    made.push(thumb);
  }
  const better = button("quote", "better", () => actions.better(turn));
  better.classList.toggle("done", Boolean(turn.better));
  return [...made, better, more];
}

function button(picture, act, onClick) {
  const made = iconButton(picture, t(act), onClick);
  made.dataset.act = act;
  return made;
}

export function copyButton(turn) {
  const made = button("copy", "copy", async () => {
    const done = await copyText(turn.content);
    made.title = t(done ? "copied" : "notCopied");
    made.setAttribute("aria-label", made.title);
    made.classList.toggle("done", done);
  });
  return made;
}
