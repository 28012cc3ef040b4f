// Helpers that every drawing module needs. Text only ever becomes a text node, never HTML.

/**
 * The page's elements that are more than an HTMLElement, by their ids.
 * @typedef {{
 *   input: HTMLTextAreaElement, dialog: HTMLDialogElement, "dialog-line": HTMLInputElement,
 *   "dialog-area": HTMLTextAreaElement, memory: HTMLDialogElement, "memory-on": HTMLInputElement,
 *   "memory-text": HTMLTextAreaElement, "memory-pinned": HTMLTextAreaElement, preferences: HTMLDialogElement,
 *   "visitor-name": HTMLInputElement, "visitor-about": HTMLTextAreaElement, "quick-text": HTMLTextAreaElement,
 *   "read-aloud": HTMLInputElement, search: HTMLInputElement, "import-file": HTMLInputElement,
 * }} Special
 */

/** @type {<Id extends string>(id: Id) => Id extends keyof Special ? Special[Id] : HTMLElement} */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
