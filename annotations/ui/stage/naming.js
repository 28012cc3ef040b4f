// A speaker that was named in the editor, applied to the other samples of the scene: shown first, then done.

import { el } from "./dom.js";

export class Naming {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.place = stage.drawing.part(".stage-scene");
    this.at = 0;
    /** what the list on the screen shows @type {Record<string, any> | null} */
    this.seen = null;
  }

  /** Which saved turn a turn of the editor is: turns may have been moved, or their text changed. @param {number} at */
  savedTurn(at) {
    const { item, editor } = this.stage.writing;
    const same = item.messages.findIndex((/** @type {any} */ turn) => turn.content === editor.turns[at].content);
    return same < 0 && item.messages.length === editor.turns.length ? at : same;
  }

  /** Show what naming this turn changes in the scene. @param {number} at */
  async look(at) {
    const { writing, drawing } = this.stage;
    const item = writing.item;
    const name = (writing.editor.turns[at].name ?? "").trim();
    const turn = this.savedTurn(at);
    if (!name || turn < 0) {
      drawing.tell(this.stage.say("scene_no_name"));
      writing.editor.focusName(at);
      return;
    }
    this.at = at;
    this.seen = null;
    const body = { sample: item.id, turn, name };
    this.stage.mode = "scene";
    drawing.pane("scene");
    drawing.sceneKeys(0);
    this.place.replaceChildren(el("p", { class: "quiet", text: this.stage.say("loading_part") }));
    this.place.focus({ preventScroll: true });
    const { status, data } = await this.stage.api.post("name", body);
    if (this.stage.mode !== "scene" || writing.item !== item) return;
    if (status !== 200) {
      this.back();
      drawing.alert(status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message, { id: "scene" });
      return;
    }
    const words = [["scene_rewrites", data.rewrites], ["scene_drafts", data.drafts], ["scene_refused", data.refused]]
      .filter(([, n]) => n > 0)
      .map(([key, n]) => el("p", { class: "quiet", text: this.stage.say(String(key), { n: Number(n) }) }));
    const none = data.ids.length === 0 ? [el("p", { class: "notice info", text: this.stage.say("scene_none") })] : [];
    this.place.replaceChildren(el("h3", { text: this.stage.say("scene_title", { name }) }), ...words, ...none, el("div", { html: data.html }));
    drawing.sceneKeys(data.ids.length);
    this.seen = data.ids.length > 0 ? { ...body, only: data.ids } : null;
  }

  /** Do what the list shows. */
  async apply() {
    const { drawing, verdicts, samples } = this.stage;
    const body = this.seen;
    if (!body) return;
    this.seen = null;
    await this.stage.outbox.send();
    const { status, data } = await this.stage.api.post("name", body);
    if (this.stage.mode === "scene") this.back();
    if (status !== 200) {
      drawing.alert(status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message, { id: "scene" });
      return;
    }
    const drafts = Object.keys(data.drafts).length;
    if (data.rewritten + drafts > 0) verdicts.done.push({ kind: "naming", batch: data.batch, sample: data.sample, drafts: data.drafts });
    if (data.refused.length > 0) {
      drawing.alert(this.stage.say("cluster_refused", { n: data.refused.length, why: data.refused[0] }), { id: "scene" });
    }
    drawing.tell(this.stage.say("scene_done", { n: data.rewritten, drafts }));
    this.again(body.only, samples);
  }

  /** @param {any} gone what {@link apply} has done */
  async undo(gone) {
    const { batch, sample, drafts } = gone;
    const { status, data } = await this.stage.api.post("unname", { batch, sample, drafts });
    if (status !== 200) {
      this.stage.drawing.alert(status === 0 ? this.stage.say("wait_for_undo") : data.message, { id: "undo" });
      return false;
    }
    this.stage.drawing.tell(this.stage.say("scene_undone", { n: data.changed.length }));
    this.again(data.changed, this.stage.samples);
    return true;
  }

  /** What is leased is shown as it is now. @param {string[]} ids @param {import("./samples.js").Samples} samples */
  again(ids, samples) {
    for (const id of samples.leased()) if (ids.includes(id)) void samples.refresh(id);
    this.stage.status.countSoon();
  }

  /** Esc: back to the editor, where the focus was. */
  back() {
    const { drawing, writing } = this.stage;
    this.seen = null;
    this.stage.typeInto("edit");
    drawing.pane("editor");
    drawing.editorKeys();
    writing.editor.focusName(this.at);
  }
}
