// A reply that the model suggests: asked for by a key, shown as a suggestion, copied into the editor only by a person.

import { el } from "./dom.js";

const AGAIN_MS = 1000;

export class Suggesting {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.place = stage.drawing.part(".stage-suggestion");
    /** the request whose answer is shown or awaited @type {{sample: string, messages: any[]} | null} */
    this.asked = null;
    this.text = "";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Ask for a reply to what is on the screen: the sample, or the text in the editor. @param {any} item @param {boolean} [again] */
  async ask(item, again = false) {
    const { writing } = this.stage;
    const turns = this.stage.mode === "edit" ? writing.editor.turns : item.messages;
    if (!turns) {
      this.stage.drawing.tell(this.stage.say("too_long_to_edit_here", { n: this.stage.number(item.length) }));
      return;
    }
    const messages = turns.map((/** @type {any} */ { role, content, name }) => ({ role, content, ...(name ? { name } : {}) }));
    this.asked = { sample: item.id, messages };
    this.text = "";
    this.wait("loading");
    await this.send({ start: true, again });
  }

  /** @param {{start: boolean, again: boolean}} how */
  async send(how) {
    clearTimeout(this.timer);
    const asked = this.asked;
    if (!asked) return;
    const { status, data } = await this.stage.api.post("suggest", { messages: asked.messages, ...how });
    if (asked !== this.asked) return;
    if (status !== 200) this.fail(status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message);
    else if (data.status === "failed") this.fail(data.message);
    else if (data.status === "ready") this.show(data);
    else if (data.status === "none") await this.send({ start: true, again: false }); // the server has started again
    else {
      this.wait(data.status);
      this.timer = setTimeout(() => void this.send({ start: false, again: false }), AGAIN_MS);
    }
  }

  /** @param {string} status */
  wait(status) {
    this.draw("info", this.stage.say(status === "writing" ? "suggest_writing" : "suggest_loading"));
  }

  /** @param {string} why */
  fail(why) {
    this.draw("bad", why, [this.button("suggest-again", "suggest_again")]);
  }

  /** @param {{text: string, run: string}} found */
  show({ text, run }) {
    this.text = text;
    const head = [this.stage.say("suggest_by"), run].filter(Boolean).join(" · ");
    const words = el("p", { class: "suggested", text });
    this.draw("info", head, [this.button("take", "suggest_take", "y", "main"), this.button("suggest-again", "suggest_another")], words);
    this.stage.drawing.tell("", `${head} ${text}`);
  }

  /** @param {string} action @param {string} word @param {string} [key] @param {string} [kind] */
  button(action, word, key = "", kind = "small") {
    return this.stage.drawing.button(action, this.stage.say(word), key, kind);
  }

  /** @param {string} kind @param {string} head @param {HTMLElement[]} [buttons] @param {HTMLElement} [words] */
  draw(kind, head, buttons = [], words) {
    const row = el("div", { class: "row" }, ...buttons, this.button("suggest-close", "dismiss", "", "link"));
    this.place.replaceChildren(el("div", { class: `notice ${kind}` }, el("b", { text: head }), ...(words ? [words] : []), row));
    this.place.hidden = false;
  }

  /** Put the suggestion into the editor, in place of the last reply. Ctrl+Z brings the former text back. @param {any} item */
  take(item) {
    const { writing, drawing } = this.stage;
    if (!this.text || this.asked?.sample !== item.id) return;
    if (this.stage.mode !== "edit") writing.begin(item);
    if (this.stage.mode !== "edit") return; // two drafts: the annotator chooses first, and the suggestion stays
    writing.editor.takeReply(this.text);
    drawing.tell(this.stage.say("suggest_taken"));
    this.close();
  }

  /** Another sample is on the screen. @param {any} item */
  shown(item) {
    if (this.asked && this.asked.sample !== item?.id) this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.asked = null;
    this.text = "";
    this.place.hidden = true;
    this.place.replaceChildren();
  }
}
