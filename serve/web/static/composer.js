// The box that one writes in: it grows, keeps what stood in it while an old message is edited, and knows nothing of
// conversations.

import { $ } from "./dom.js";

const input = $("input");
let editing = null; // what the caller edits
let before = ""; // what stood here before

export const editedTurn = () => editing;
export const isEmpty = () => !input.value;
export const text = () => input.value;
/** What is being written, and not anew. */
export const draft = () => (editing ? before : input.value);

/** Ready to type; not on a phone, where this would open the keyboard over what there is to read. */
export function focusInput() {
  if (matchMedia("(hover: hover)").matches) input.focus();
}

export function put(value) {
  input.value = value;
  grow();
}

/** Write a turn anew; what was being written comes back afterwards. */
export function startEdit(turn) {
  if (!editing) before = input.value;
  editing = turn;
  $("editing").hidden = false;
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

/** As high as what stands in it, or as the placeholder, which is longer in some languages. */
export function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, innerHeight * 0.4)}px`;
}

/** Call `submit()` for Enter and for the button, `arrow(key)` for an arrow in the empty box, `written()` for each letter. */
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
    // isComposing: Enter that ends a Vietnamese or Japanese input method's word is not the one that sends.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (isEmpty() && event.key.startsWith("Arrow")) {
      event.preventDefault(); // the arrow would move the caret in what an edit puts here
      arrow(event.key);
    }
  });
}
