// Which key was pressed, and whether it is the stage's. Knows nothing of samples.

const TYPED_INTO = new Set(["text", "search", "email", "number", "password", "tel", "url", "date", "time", ""]);

/**
 * Return whether an element takes typed text.
 * @param {EventTarget | null | undefined} target
 */
export function isTextField(target) {
  if (target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) return TYPED_INTO.has(target.getAttribute("type")?.toLowerCase() ?? "");
  return target instanceof HTMLElement && target.isContentEditable;
}

/**
 * Return the command that a key names: a lower-case letter, a digit, "Escape", "Enter" or "Ctrl+Enter"; else null.
 *
 * The letter counts, wherever a layout puts it. A layout without Latin letters, a layout with other signs on the row of
 * digits, and an input method that hides the key (keyCode 229 outside a text field) leave the place of the key.
 * @param {KeyboardEvent} event
 */
export function command(event) {
  if (event.isComposing) return null;
  const hidden = event.keyCode === 229 || event.key === "Process" || event.key === "Unidentified";
  if (!hidden && event.key === "Enter") {
    return event.altKey || event.shiftKey ? null : event.ctrlKey || event.metaKey ? "Ctrl+Enter" : "Enter";
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return null;
  if (!hidden && event.key === "Escape") return "Escape";
  if (!hidden && /^[a-zA-Z0-9]$/.test(event.key)) return event.key.toLowerCase();
  const [, letter] = /^Key([A-Z])$/.exec(event.code) ?? [];
  if (letter && (hidden || event.key.charCodeAt(0) > 127)) return letter.toLowerCase();
  const [, digit] = /^Digit([0-9])$/.exec(event.code) ?? [];
  return digit ?? null;
}

/**
 * Listen to every key of the page, before anything else does. `pressed` returns whether the key was the stage's.
 * @param {HTMLElement} root
 * @param {(name: string, field: HTMLElement | null, repeated: boolean) => boolean} pressed
 * @returns {() => void} what ends the listening
 */
export function listen(root, pressed) {
  /** @param {KeyboardEvent} event */
  const listener = (event) => {
    const target = event.composedPath()[0];
    const inside = target instanceof Node && root.contains(target);
    const field = isTextField(target) ? /** @type {HTMLElement} */ (target) : null;
    if (!inside && (field || (target instanceof Element && target.closest("[role=dialog]")))) return;
    // In a text field every key is the field's, but for those that leave it. An input method has its keys first.
    if (field && event.keyCode === 229) return;
    const name = command(event);
    if (name === null) return;
    if (field && name.length === 1) return;
    // Enter presses the button that has the focus.
    if (!field && name === "Enter" && target instanceof HTMLButtonElement) return;
    if (pressed(name, field, event.repeat)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  document.addEventListener("keydown", listener, true);
  return () => document.removeEventListener("keydown", listener, true);
}
