// The box to write in: it grows with its text, and keeps a draft while an old message is edited. Knows nothing of
// conversations.

import { $ } from "./dom.js";
import { t } from "./i18n.js";

const input = $("input");
/** @type {import("./tree.js").Turn | null} */
let editing = null; // the turn that is edited
let before = ""; // the draft before the edit

export const editedTurn = () => editing;
export const isEmpty = () => !input.value;
export const text = () => input.value;
/** The new message that is being written, not the edit of an old one. */
export const draft = () => (editing ? before : input.value);

/** Focus the box; not on a phone, where the keyboard would cover the text. */
export function focusInput() {
  if (matchMedia("(hover: hover)").matches) input.focus();
}

export function put(value) {
  input.value = value;
  grow();
}

/** Edit a turn; the draft returns afterwards. */
export function startEdit(turn) {
  if (!editing) before = input.value;
  editing = turn;
  $("editing").hidden = false;
  $("editing-text").textContent = t(turn.role === "user" ? "editing" : "editingReply");
  put(turn.content);
  input.focus();
}

/** Leave the edit, whether it was sent or not. */
export function endEdit() {
  if (!editing) return;
  editing = null;
  $("editing").hidden = true;
  put(before);
}

/** Make the box as high as its text, or as the placeholder, which is longer in some languages. */
export function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, innerHeight * 0.4)}px`;
}

/** Call `submit()` for Enter and for the button, `arrow(key)` for an arrow in the empty box, `written()` for each change. */
export function listen({ submit, arrow, written }) {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener("input", () => {
    grow();
    written();
  });
  input.addEventListener("keydown", (event) => {
    // isComposing: the Enter that ends a word of a Vietnamese or Japanese input method does not send.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (isEmpty() && event.key.startsWith("Arrow")) {
      event.preventDefault(); // the arrow would move the caret in the text that an edit puts here
      arrow(event.key);
    }
  });
}
