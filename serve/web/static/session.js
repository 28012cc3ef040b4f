// What this tab has open, and which conversation it shows.

import * as composer from "./composer.js";
import * as counting from "./counting.js";
import * as drafts from "./drafts.js";
import { toNewest } from "./view.js";

/** @import { Conversation } from "./tree.js" */

let current = /** @type {Conversation} */ (/** @type {unknown} */ (null)); // until the first one is shown
let drawAll = () => {};

/**
 * The open conversations by id: one that is answered in the background is not lost when another is shown.
 * @type {Map<string, Conversation>}
 */
export const open = new Map();

export const shown = () => current;

/** `draw()` draws the page; it is called whenever the conversation that is shown has changed. */
export const onDraw = (draw) => {
  drawAll = draw;
};
export const draw = () => drawAll();

let said = "";

/** What the visitor should know about what is shown, until something else is shown or said. */
export const notice = () => said;

/** Tell the visitor something that stays until they go on. */
export function say(text) {
  said = text;
  draw();
}

export function show(conversation) {
  current = conversation;
  said = "";
  open.set(conversation.id, conversation);
  composer.endEdit();
  composer.put(drafts.of(conversation));
  draw();
  toNewest();
  counting.soon();
}
