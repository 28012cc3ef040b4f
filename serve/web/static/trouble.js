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
  const waits = patience.left(shown().id) !== null;
  $("wait-cancel").hidden = !waits;
  clearTimeout(tick);
  if (waits) tick = setTimeout(() => drawTrouble(), 1000);
}

let tick = 0;


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
  const seconds = patience.left(shown().id);
  if (trouble && seconds !== null) return t("waitsForTurn", seconds);
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
