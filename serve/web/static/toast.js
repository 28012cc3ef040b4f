// Tells something in passing: it is read out, and disappears by itself. It may offer to undo what was done.

import { $, element } from "./dom.js";

const SHOWN_MS = 6000;
const UNDO_MS = 12_000; // time to read, to think, and to reach the button by keyboard
let timer = 0;

/**
 * @param {string} text
 * @param {{label: string, act(): void} | null} undo
 */
export function mention(text, undo = null) {
  clearTimeout(timer);
  const empty = () => $("toast").replaceChildren();
  $("toast").textContent = text;
  if (undo) {
    const button = element("button", "", undo.label);
    button.type = "button";
    button.addEventListener("click", () => {
      empty();
      undo.act();
    });
    $("toast").append(button);
  }
  timer = setTimeout(empty, undo ? UNDO_MS : SHOWN_MS);
}
