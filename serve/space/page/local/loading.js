// The bar above the message box: what has to be fetched, how far that is, and what is wrong.

import { $, element } from "../dom.js";
import { t } from "../i18n.js";

const MEGABYTE = 1e6;

const bar = element("div", "loading");
const words = element("span");
const progress = element("progress");
const button = element("button");
button.type = "button";
bar.setAttribute("role", "status");
bar.append(words, progress, button);
progress.setAttribute("aria-hidden", "true"); // its words tell the same

/** @type {{key: string, args: unknown[], share: number | null, press: {key: string, act: () => void} | null} | null} */
let shown = null;

function draw() {
  if (!bar.isConnected) $("trouble").before(bar);
  bar.hidden = shown === null;
  if (!shown) return;
  words.textContent = t(shown.key, ...shown.args);
  progress.hidden = shown.share === null;
  progress.value = shown.share ?? 0;
  button.hidden = shown.press === null;
  if (shown.press) button.textContent = t(shown.press.key);
  button.onclick = shown.press?.act ?? null;
}

const show = (key, args, share, press) => {
  shown = { key, args, share, press };
  draw();
};
const megabytes = (bytes) => Math.round(bytes / MEGABYTE);

export const offer = (bytes, act) => show("localOffer", [megabytes(bytes)], null, { key: "localLoad", act });
export const fetching = (bytes, all) => show("localFetching", [megabytes(bytes), megabytes(all)], bytes / all, null);
export const waking = (share = 0) => show("localWaking", [], share, null);
/** What went wrong; `act()` tries again, where that may help. */
export const wrong = (key, args, act) => show(key, args, null, act && { key: "retry", act });
export const note = (key) => show(key, [], null, { key: "fine", act: hide });

export function hide() {
  shown = null;
  draw();
}

// The language of the page is known by its root element.
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["lang"] });
