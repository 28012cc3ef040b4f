// Verdicts on pairs that are near by meaning: "the same", "not the same", and their undo. They decide no sample.

import { newId } from "./dom.js";

export class Meaning {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /** @param {any} item what is on the screen @param {string} answer "same" or "different" @param {HTMLElement} [button] */
  async judge(item, answer, button) {
    const other = button?.dataset.sample;
    if (!other) return;
    const body = { verdict_id: newId(), sample: item.id, other, answer };
    const data = await this.send("same", body);
    if (!data) return;
    this.stage.verdicts.done.push({ kind: "same", verdict_id: body.verdict_id, sample: item.id });
    this.stage.drawing.tell(this.stage.say(`did_${answer}`));
    this.stage.panels.arrived("meaning", item.id, data);
    this.focus(other, answer);
  }

  /** @param {any} gone what {@link judge} has done @returns {Promise<boolean>} whether it is undone */
  async undo(gone) {
    const data = await this.send("unsame", { verdict_id: gone.verdict_id, sample: gone.sample });
    if (!data) return false;
    this.stage.drawing.tell(this.stage.say("same_undone"));
    this.stage.panels.arrived("meaning", gone.sample, data);
    return true;
  }

  /** A page that was loaded again asked for the newest, which was on a pair: show its sample. @param {any} data */
  undone(data) {
    if (data.item) {
      this.stage.samples.instead(data.item);
      this.stage.panels.arrived("meaning", data.item.id, data.meaning);
    }
    this.stage.drawing.tell(this.stage.say("same_undone"), data.item?.spoken);
  }

  /** @param {string} path @param {Record<string, any>} body */
  async send(path, body) {
    const { status, data } = await this.stage.api.post(path, body);
    if (status === 200) return data;
    this.stage.drawing.alert(status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message, { id: "same" });
    return null;
  }

  /** The part was drawn again: the focus stays on the button that was pressed. @param {string} other @param {string} answer */
  focus(other, answer) {
    const made = this.stage.root.querySelector(`details[data-part="meaning"] [data-action="${answer}"][data-sample="${other}"]`);
    if (made instanceof HTMLElement) made.focus({ preventScroll: true });
  }
}
