// Draws a conversation. Words of people and models only ever become text nodes, never HTML.

import * as chat from "./chat.js";
import { t } from "./i18n.js";
import { iconButton } from "./icons.js";

const { character, portrait } = document.body.dataset;
const list = document.getElementById("messages");
const scroller = document.getElementById("scroller");
const jump = document.getElementById("jump");

let follow = true; // whether the newest words are kept in sight

/** Draw all turns of a conversation; `actions` are {edit(index), regenerate()}. */
export function drawTurns(conversation, actions) {
  const busy = chat.isRunning(conversation);
  const lastUser = conversation.messages.findLastIndex((m) => m.role === "user");
  const last = conversation.messages.length - 1;
  list.replaceChildren(
    ...conversation.messages.map((message, index) => {
      const buttons = [];
      if (message.content && message.state !== "thinking" && navigator.clipboard) buttons.push(copyButton(message));
      if (!busy && index === lastUser) buttons.push(iconButton("pencil", t("edit"), () => actions.edit(index)));
      if (!busy && index === last && message.role === "assistant") {
        buttons.push(iconButton("again", t("regenerate"), actions.regenerate));
      }
      return turn(message, buttons);
    }),
  );
  keepInSight();
}

/** Draw the reply that is growing, and nothing else. */
export function drawGrowth(conversation) {
  const reply = chat.replyOf(conversation);
  const item = list.lastElementChild;
  if (!reply || !item) return;
  fill(item, reply);
  keepInSight();
}

/** Go to the newest message and stay there until the person scrolls away. */
export function toNewest() {
  follow = true;
  keepInSight();
}

scroller.addEventListener("scroll", () => {
  follow = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  jump.hidden = follow;
}, { passive: true });
jump.addEventListener("click", toNewest);
// A keyboard on a phone, or a longer draft, makes the place smaller: keep the newest words above it.
new ResizeObserver(() => keepInSight()).observe(scroller);

function keepInSight() {
  if (follow) scroller.scrollTop = scroller.scrollHeight;
}

function turn(message, buttons) {
  const his = message.role === "assistant";
  const item = element("li", `turn ${his ? "his" : "mine"}`);
  if (his) {
    const face = element("img", "face");
    Object.assign(face, { src: portrait, alt: "", width: 36, height: 36 });
    item.append(face);
  }
  const body = element("div", "body");
  const bubble = element("div", "bubble");
  bubble.append(element("span", "hidden", `${his ? character : t("you")}: `), element("span", "text"));
  const row = element("div", "actions"); // also without buttons, so that nothing jumps when they come
  row.append(...buttons);
  body.append(bubble, element("p", "note"), row);
  item.append(body);
  fill(item, message);
  return item;
}

function fill(item, message) {
  const waiting = message.state === "thinking" && !message.content;
  item.classList.toggle("waiting", waiting);
  item.classList.toggle("growing", message.state === "thinking" && !waiting);
  item.setAttribute("aria-busy", String(message.state === "thinking"));
  item.querySelector(".text").textContent = waiting ? "" : message.content;
  item.querySelector(".note").textContent = note(message, waiting);
}

function note(message, waiting) {
  if (waiting) return message.place ? t("queued", message.place) : t("thinking");
  const notes = { stopped: t("stopped"), cut: t("cut"), broken: t("broken") };
  return [notes[message.state], message.dropped && t("forgot", message.dropped)].filter(Boolean).join(" ");
}

function copyButton(message) {
  const button = iconButton("copy", t("copy"), async () => {
    await navigator.clipboard.writeText(message.content);
    button.title = t("copied");
    button.setAttribute("aria-label", t("copied"));
    button.classList.add("done");
  });
  return button;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
