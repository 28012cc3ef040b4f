// Tells something in passing: it is read out, and disappears by itself.

import { $ } from "./dom.js";

const SHOWN_MS = 6000;
let timer = 0;

export function mention(text) {
  clearTimeout(timer);
  $("toast").textContent = text;
  timer = setTimeout(() => ($("toast").textContent = ""), SHOWN_MS);
}
