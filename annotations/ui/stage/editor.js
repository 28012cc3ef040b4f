// The editor: the turns as fields, and beside them what changes and what to look at. Knows nothing of drafts' way.

import { el, fill, find } from "./dom.js";

const CHECK_MS = 250;
// What a text may hold and still be empty: the server removes these when it is saved.
const INVISIBLE = /[\s\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\u0000-\u001f\u007f-\u009f]/g;

/** @typedef {import("./drafts.js").Turn} Turn */

export class Editor {
  /**
   * @param {HTMLElement} place
   * @param {any} page words, roles
   * @param {{changed: (turns: Turn[]) => void, check: (turns: Turn[]) => Promise<any>, left: () => void,
   *   scene: (at: number) => void}} tell
   */
  constructor(place, page, tell) {
    this.place = place;
    this.page = page;
    this.tell = tell;
    /** @type {Turn[]} */
    this.turns = [];
    /** @type {string[]} */
    this.speakers = [];
    /** whether the sample is of a scene, in which a name can be applied */
    this.scene = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.checking = 0;
  }

  /**
   * Show the turns and put the cursor into the last reply. The fields are there and focused when this returns.
   * @param {Turn[]} turns @param {string[]} speakers @param {boolean} scene
   */
  open(turns, speakers, scene) {
    this.turns = turns.map((turn) => ({ ...turn }));
    this.speakers = speakers;
    this.scene = scene;
    this.place.replaceChildren(
      el("p", { class: "quiet", text: this.page.words.editing }),
      el("div", { class: "columns" }, el("div", { class: "written" }), this.beside()),
    );
    this.draw();
    const replies = this.turns.map((turn, at) => (turn.role === "assistant" ? at : -1)).filter((at) => at >= 0);
    this.focus(replies.at(-1) ?? this.turns.length - 1);
    void this.check();
  }

  beside() {
    const { words } = this.page;
    return el(
      "div",
      { class: "checked" },
      el("h3", { text: words.checks }),
      el("div", { class: "checks" }),
      el("div", { class: "removed" }),
      el("h3", { text: words.changes }),
      el("div", { class: "changed" }),
    );
  }

  draw() {
    const rows = this.turns.map((turn, at) => this.row(turn, at));
    const add = el("button", { type: "button", class: "add", text: this.page.words.turn_add });
    add.addEventListener("click", () => this.add());
    find(this.place, ".written").replaceChildren(...rows, add, this.names());
  }

  /** The names that the speaker's field offers. */
  names() {
    const known = [...this.speakers, ...this.turns.map((turn) => turn.name)].filter((name) => Boolean(name));
    return el("datalist", { id: "stage-speakers" }, ...[...new Set(known)].map((name) => el("option", { value: name })));
  }

  /** @param {Turn} turn @param {number} at */
  row(turn, at) {
    const { words, roles } = this.page;
    const n = at + 1;
    const role = el(
      "select",
      { "aria-label": fill(words.turn_role, { n }) },
      ...roles.map(([value, name]) => el("option", { value, text: name, selected: value === turn.role })),
    );
    role.addEventListener("change", () => {
      turn.role = /** @type {HTMLSelectElement} */ (role).value;
      turn.name = null; // it was the old speaker's
      this.draw();
      this.changed();
      find(this.place, `[data-turn="${at}"] select`).focus();
    });
    const name = el("input", {
      type: "text",
      class: "name",
      list: "stage-speakers",
      maxlength: 80,
      autocomplete: "off",
      "aria-label": fill(words.turn_name, { n }),
      placeholder: roles.find(([value]) => value === turn.role)?.[1],
      value: turn.name ?? "",
    });
    name.addEventListener("input", () => {
      turn.name = /** @type {HTMLInputElement} */ (name).value || null;
      this.changed();
    });
    const text = el("textarea", { "aria-label": fill(words.turn_text, { n }), spellcheck: "false", rows: 2 });
    /** @type {HTMLTextAreaElement} */ (text).value = turn.content;
    text.addEventListener("input", () => {
      turn.content = /** @type {HTMLTextAreaElement} */ (text).value;
      this.changed();
    });
    text.addEventListener("blur", () => this.tell.left());
    const buttons = [
      this.button("turn_up", "↑", n, at === 0, () => this.move(at, at - 1)),
      this.button("turn_down", "↓", n, n === this.turns.length, () => this.move(at, at + 1)),
      this.button("turn_remove", "✕", n, this.turns.length === 1, () => this.remove(at)),
    ];
    const label = fill(words.scene_of, { n });
    const scene = el("button", { type: "button", class: "small scene", "aria-label": label, title: label, text: words.scene });
    scene.addEventListener("click", () => this.tell.scene(at));
    if (this.scene) buttons.push(scene);
    return el("div", { class: "turn-edit", "data-turn": at }, el("div", { class: "row" }, role, name, ...buttons), text);
  }

  /** @param {string} key @param {string} sign @param {number} n @param {boolean} off @param {() => void} press */
  button(key, sign, n, off, press) {
    const label = `${this.page.words[key]} ${n}`;
    const made = el("button", { type: "button", class: "small", "aria-label": label, title: label, disabled: off }, sign);
    made.addEventListener("click", press);
    return made;
  }

  add() {
    this.turns.push({ role: this.turns.at(-1)?.role === "assistant" ? "user" : "assistant", content: "" });
    this.draw();
    this.changed();
    this.focus(this.turns.length - 1);
  }

  /** @param {number} at @param {number} to */
  move(at, to) {
    const [turn] = this.turns.splice(at, 1);
    this.turns.splice(to, 0, turn);
    this.draw();
    this.changed();
    this.focus(to);
  }

  /** @param {number} at */
  remove(at) {
    this.turns.splice(at, 1);
    this.draw();
    this.changed();
    this.focus(Math.min(at, this.turns.length - 1));
  }

  /** @param {number} at */
  focus(at) {
    const text = /** @type {HTMLTextAreaElement} */ (find(this.place, `[data-turn="${at}"] textarea`));
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  }

  /** @param {number} at */
  focusName(at) {
    find(this.place, `[data-turn="${at}"] .name`).focus();
  }

  /** Put a text in place of the last reply, as if it had been typed: the browser can undo it. @param {string} text */
  takeReply(text) {
    const at = this.turns.findLastIndex((turn) => turn.role === "assistant");
    if (at < 0) this.add();
    this.focus(at < 0 ? this.turns.length - 1 : at);
    const field = /** @type {HTMLTextAreaElement} */ (document.activeElement);
    field.select();
    if (document.execCommand("insertText", false, text)) return;
    field.setRangeText(text);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  changed() {
    this.tell.changed(this.turns);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), CHECK_MS);
  }

  /** Ask the server for the diff and the checks; the newest answer counts. */
  async check() {
    this.checking += 1;
    const asked = this.checking;
    const data = await this.tell.check(this.turns);
    const changed = this.place.querySelector(".changed");
    if (asked !== this.checking || !data || !changed) return;
    changed.innerHTML = data.diff;
    find(this.place, ".checks").innerHTML = data.checks;
    find(this.place, ".removed").innerHTML = data.removed;
  }

  /** Return why the turns cannot be saved: the key of the words, or "". */
  unfinished() {
    if (this.turns.some((turn) => turn.content.replace(INVISIBLE, "") === "")) return "empty_turn";
    return this.turns.at(-1)?.role === "assistant" ? "" : "no_reply_last";
  }

  close() {
    clearTimeout(this.timer);
    this.checking += 1;
    this.place.replaceChildren();
  }
}
