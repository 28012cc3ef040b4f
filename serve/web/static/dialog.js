// Asks a question in the page's dialog, or shows a message.

import { $ } from "./dom.js";
import { t } from "./i18n.js";

const dialog = $("dialog");
const fields = { line: $("dialog-line"), area: $("dialog-area") };

/**
 * Resolves to the text (empty without a field), or to null for "no". `field` is "line" or "area" where a text is asked
 * for; `no: false` leaves only one button.
 * @param {{
 *   title: string, note?: string, yes: string, no?: boolean, field?: "line" | "area" | null, value?: string, max?: number,
 *   danger?: boolean,
 * }} what
 * @returns {Promise<string | null>}
 */
export function ask({ title, note = "", yes, no = true, field = null, value = "", max = 80, danger = false }) {
  $("dialog-title").textContent = title;
  $("dialog-note").textContent = note;
  $("dialog-note").hidden = !note;
  $("dialog-yes").textContent = yes;
  $("dialog-yes").classList.toggle("danger", danger);
  $("dialog-no").hidden = !no;
  for (const [name, input] of Object.entries(fields)) {
    input.hidden = input.disabled = name !== field; // a disabled field gets no focus and is not part of the form
    input.value = value;
    input.maxLength = max;
  }
  dialog.returnValue = "no";
  dialog.showModal();
  if (field) fields[field].select();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "yes" ? (field ? fields[field].value : "") : null);
    dialog.addEventListener("close", answer, { once: true });
  });
}

/** Show a message that must not be missed. */
export const tell = (title, note) => ask({ title, note, yes: t("fine"), no: false });

$("dialog-no").addEventListener("click", () => dialog.close("no"));
