// The line above the composer: what is wrong, with a button to try again where that may help.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import * as connection from "./connection.js";
import { $ } from "./dom.js";
import * as errors from "./errors.js";
import { t } from "./i18n.js";
import * as patience from "./patience.js";
import { notice, shown } from "./session.js";
import { saveSetting, setting } from "./settings.js";
import * as store from "./store.js";
import { leaf } from "./tree.js";

const KNOWN = "unread-known";

/** Draw it; `retry()` is called by the button. A problem of the storage lasts, so it is always added. */
export function drawTrouble(text = troubleText(), retry = text && text !== notice() && mayAskAgain() ? askAgain : null) {
  const unread = store.unread().some((one) => !known().includes(one));
  const all = [text, store.problem() && t(store.problem()), unread && t("unread")].filter(Boolean);
  $("trouble").hidden = !all.length;
  $("trouble-text").textContent = all.join(" ");
  $("retry").hidden = !retry;
  $("retry").onclick = retry;
  $("understood").hidden = !unread;
  drawSeconds();
}

let tick = 0;

/** Count down what is left to wait; a screen reader is told once that there is something to wait for. */
function drawSeconds() {
  clearTimeout(tick);
  const seconds = patience.left(shown().id);
  $("wait-cancel").hidden = $("wait-left").hidden = seconds === null;
  if (seconds === null) return;
  $("wait-left").textContent = `${seconds} s`;
  tick = setTimeout(drawSeconds, 1000);
}


/** What the visitor knows to be unreadable. */
const known = () => (setting(KNOWN) ?? "").split(" ");

const mayAskAgain = () => errors.mayPass(chat.troubleOf(shown())?.error ?? {});

function askAgain() {
  chat.again(shown());
  composer.focusInput();
}

function troubleText() {
  const trouble = chat.troubleOf(shown());
  if (trouble && !navigator.onLine) return t("offline");
  if (trouble && patience.left(shown().id) !== null) return t("waitsForTurn");
  if (trouble && trouble.error.code !== "loading" && connection.isWaiting() && chat.isWaitedFor(trouble)) return t("resuming");
  if (trouble) return errors.words(trouble.error);
  if (notice()) return notice();
  // A message without an answer: it was stopped before its first word, or the page was closed.
  return leaf(shown())?.role === "user" && !chat.isRunning(shown()) ? t("unanswered") : null;
}

$("wait-cancel").addEventListener("click", () => {
  chat.endWaiting(shown());
  composer.focusInput();
});
$("understood").addEventListener("click", () => {
  saveSetting(KNOWN, store.unread().join(" "));
  drawTrouble();
  composer.focusInput();
});
addEventListener("online", () => drawTrouble());
addEventListener("offline", () => drawTrouble(t("offline"), null));
