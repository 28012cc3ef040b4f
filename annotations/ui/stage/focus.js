// Streamlit opens a dialog over the page when its own connection is gone. It would take the keys in the middle of a
// word. The stage says the same beside its keys, so the dialog is closed as it opens and the focus goes back.

import { isTextField } from "./keys.js";

// A dialog that follows a click elsewhere on the page is one that the user asked for.
const ASKED_MS = 1500;

/**
 * Keep the focus in the stage when a dialog opens that no one asked for.
 * @param {HTMLElement} root
 * @returns {() => void} what ends it
 */
export function keepFocus(root) {
  /** @type {HTMLElement} the element of the stage that had the focus last */
  let last = root;
  let had = false; // whether the focus was in the stage until something took it that was not the annotator
  let asked = -Infinity;

  /** @param {FocusEvent} event */
  const focused = (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (root.contains(target)) {
      last = target;
      had = true;
    } else if (!target.closest("[role=dialog]")) {
      had = false;
    }
  };
  /** @param {PointerEvent} event */
  const pointed = (event) => {
    if (root.contains(/** @type {Node} */ (event.target))) return;
    asked = performance.now();
    had = false;
  };
  /** @param {KeyboardEvent} event */
  const typed = (event) => {
    const now = document.activeElement;
    if (event.key === "c" && now === root) asked = performance.now(); // Streamlit's own key for a dialog
    if (!had || !isTextField(last) || !last.isConnected || event.isComposing || event.key.length !== 1) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (now && now !== document.body && !now.closest("[role=dialog]")) return;
    last.focus({ preventScroll: true });
    if (document.activeElement === last) return; // the letter goes there by itself
    // While a dialog closes, the page takes no focus for a moment: the letter is put where it belongs.
    event.preventDefault();
    event.stopImmediatePropagation();
    const field = /** @type {HTMLTextAreaElement} */ (last);
    field.setRangeText(event.key, field.selectionStart ?? 0, field.selectionEnd ?? 0, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const observer = new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      const dialog = node instanceof HTMLElement ? node.querySelector("[role=dialog]") : null;
      if (!dialog || performance.now() - asked < ASKED_MS) continue;
      const close = dialog.querySelector("button");
      close?.click();
      (last.isConnected ? last : root).focus({ preventScroll: true });
    }
  });

  document.addEventListener("focusin", focused, true);
  document.addEventListener("pointerdown", pointed, true);
  document.addEventListener("keydown", typed, true);
  observer.observe(document.body, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", focused, true);
    document.removeEventListener("pointerdown", pointed, true);
    document.removeEventListener("keydown", typed, true);
  };
}
