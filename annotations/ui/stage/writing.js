// Editing a sample: which text to begin with, choosing between two, saving, discarding.

import { sameTurns } from "./drafts.js";
import { Editor } from "./editor.js";

export class Writing {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.drawing = stage.drawing;
    this.drafts = stage.drafts;
    /** @type {any} */
    this.item = null;
    /** @type {Map<string, any>} drafts that were saved elsewhere, by sample */
    this.theirs = new Map();
    this.editor = new Editor(this.drawing.part(".stage-editor"), stage.page, {
      changed: (turns) => this.drafts.write(this.item.id, this.item.revision, turns),
      check: (turns) => this.check(turns),
      scene: (at) => void this.stage.naming.look(at),
      left: () => void (this.item && this.drafts.flush(this.item.id)),
    });
  }

  /** The draft of a sample to continue: `text` is null without one, `other` is a second one that differs. @param {any} item */
  found(item) {
    const [newest, ...rest] = this.drafts.dirty(item.id);
    const mine = this.drafts.mine(item.id);
    const server = item.draft;
    if (!newest) {
      // What this tab has saved since the sample was fetched is newer than what came with it.
      const text = mine && mine.time > item.at ? mine : server;
      return { text: text ?? null, other: null };
    }
    const other = rest.find((copy) => !sameTurns(copy.messages, newest.messages));
    const unseen = server && server.time !== newest.known && !sameTurns(server.messages, newest.messages);
    return { text: newest, other: this.theirs.get(item.id) ?? other ?? (unseen ? server : null) };
  }

  /** Open the editor of the sample on the screen, or a choice where there are two texts. @param {any} item */
  begin(item) {
    const { say } = this.words();
    if (item.messages === null) {
      this.drawing.alert(say("too_long_to_edit_here", { n: this.stage.number(item.length) }));
      return;
    }
    this.item = item;
    const { text, other } = this.found(item);
    if (text && other) this.choose(text, other);
    else if (text && text.revision !== item.revision) void this.merge(text);
    else this.edit(text?.messages ?? item.messages);
    // A copy of what the server holds: later keystrokes continue that draft.
    if (text && !other && text === item.draft) this.drafts.continues(item.id, item.draft);
  }

  /** @param {import("./drafts.js").Turn[]} turns */
  edit(turns) {
    this.stage.typeInto("edit");
    this.drawing.pane("editor");
    this.drawing.editorKeys();
    this.editor.open(turns, this.item.speakers, this.item.lines);
  }

  /** @param {any} mine @param {any} theirs */
  choose(mine, theirs) {
    this.stage.mode = "choice";
    this.stage.samples.stay();
    this.drawing.pane("choice");
    const { say } = this.words();
    this.drawing.choice(say("draft_two"), [
      { title: say("draft_mine"), html: this.drawing.plainTurns(mine.messages), action: "keep-mine", word: "draft_use", kind: "main" },
      { title: say("draft_theirs"), html: this.drawing.plainTurns(theirs.messages), action: "take-theirs", word: "draft_use_theirs" },
    ]);
    this.chosen = { mine, theirs };
  }

  /** Show the newest revision beside a draft that was begun on an older one. @param {any} draft */
  async merge(draft) {
    this.stage.mode = "choice";
    this.stage.samples.stay();
    this.drawing.pane("choice");
    const { say } = this.words();
    const item = this.item;
    const show = (/** @type {string} */ html) =>
      this.drawing.choice(say("merge_title"), [
        { title: say("merge_theirs"), html: item.turns, action: "merge-theirs", word: "merge_take_theirs" },
        { title: say("merge_yours"), html, action: "merge-mine", word: "merge_keep_mine", kind: "main" },
      ]);
    this.chosen = { mine: draft, theirs: null };
    show(this.drawing.plainTurns(draft.messages));
    const data = await this.check(draft.messages, true);
    if (data && this.stage.mode === "choice" && this.item === item) show(data.diff);
  }

  /** What the buttons of a choice do. @param {string} action */
  chose(action) {
    const { mine, theirs } = this.chosen ?? {};
    if (!mine || !this.item) return;
    const id = this.item.id;
    this.theirs.delete(id);
    this.drawing.settle(`draft ${id}`);
    if (action === "merge-theirs") {
      void this.discard(mine);
      return;
    }
    const text = action === "take-theirs" ? theirs : mine;
    // The other text has been seen and was not chosen.
    this.drafts.forget(id);
    this.drafts.write(id, this.item.revision, text.messages);
    void this.drafts.insist(id);
    if (text.revision !== this.item.revision && action !== "merge-mine") void this.merge({ ...text });
    else this.edit(text.messages);
  }

  /** Another tab or computer has saved a draft: the annotator continues, and chooses when they want. @param {string} sample @param {any} theirs */
  elsewhere(sample, theirs) {
    this.theirs.set(sample, theirs);
    const { say } = this.words();
    const choose = this.stage.mode === "edit" && this.item?.id === sample;
    this.drawing.alert(say("draft_elsewhere"), { id: `draft ${sample}`, choose, sample: choose ? undefined : sample });
  }

  /** Choose between the text in the editor and the one saved elsewhere. */
  chooseNow() {
    const theirs = this.item && this.theirs.get(this.item.id);
    const mine = this.item && this.drafts.mine(this.item.id);
    if (!theirs || !mine) return;
    this.editor.close();
    this.choose(mine, theirs);
  }

  /** Ctrl+Enter: save the rewrite, or say what is missing. */
  save() {
    const { say } = this.words();
    const missing = this.editor.unfinished();
    if (missing) {
      this.drawing.settle("unfinished");
      this.drawing.alert(say(missing), { id: "unfinished" });
      return;
    }
    this.drawing.settle("unfinished");
    if (this.theirs.has(this.item.id)) {
      this.chooseNow();
      return;
    }
    const turns = this.editor.turns.map(({ role, content, name }) => ({ role, content, ...(name ? { name } : {}) }));
    const changed = !sameTurns(turns, this.item.messages);
    this.stage.verdicts.judge(changed ? "rewrite" : "approve", { messages: changed ? turns : null, key: "Ctrl+Enter" });
  }

  /** Esc: back to the sample. The text stays. */
  leave() {
    if (this.item) void this.drafts.flush(this.item.id);
    this.editor.close();
    this.drawing.settle("unfinished");
    this.stage.look();
  }

  /** The text is used: the editor closes, the draft goes when the verdict is recorded. */
  close() {
    this.editor.close();
    this.item = null;
  }

  /** Discard a draft by name. Undo brings it back. @param {any} [draft] */
  async discard(draft) {
    const item = this.item ?? this.stage.samples.current;
    const { say } = this.words();
    const text = draft ?? this.drafts.mine(item.id) ?? item.draft;
    await this.drafts.settled(item.id);
    const { status, data } = await this.stage.api.send("DELETE", "draft", { sample: item.id });
    if (status !== 200) {
      this.drawing.alert(data.message, { id: "discard" });
      return;
    }
    this.drafts.forget(item.id);
    this.theirs.delete(item.id);
    item.draft = null;
    if (text) this.stage.verdicts.done.push({ kind: "discard", sample: item.id, messages: text.messages, revision: text.revision });
    this.editor.close();
    if (this.stage.samples.current === item) this.stage.look();
    this.drawing.tell(say("discarded"));
  }

  /** Bring a discarded draft back. @param {any} gone */
  async restore(gone) {
    this.drafts.write(gone.sample, gone.revision, gone.messages);
    void this.drafts.flush(gone.sample);
    const { say } = this.words();
    if (this.stage.samples.current?.id === gone.sample) this.stage.look();
    else await this.stage.samples.open({ sample: gone.sample });
    this.drawing.tell(say("discard_undone"));
  }

  /** The note that a sample has a draft; "" without one. @param {any} item */
  note(item) {
    const { text } = this.found(item);
    if (!text) return "";
    const { say } = this.words();
    const time = new Date(text.time);
    return Number.isNaN(time.getTime()) || text.time === 0
      ? say("draft_here")
      : say("draft_found", { time: time.toLocaleString(this.stage.page.language, { dateStyle: "short", timeStyle: "short" }) });
  }

  /** @param {import("./drafts.js").Turn[]} turns @param {boolean} [newest] */
  async check(turns, newest = false) {
    const messages = turns.map(({ role, content, name }) => ({ role, content, ...(name ? { name } : {}) }));
    const { status, data } = await this.stage.api.post("check", { sample: this.item.id, messages, newest });
    return status === 200 ? data : null;
  }

  words() {
    return { say: this.drawing.say.bind(this.drawing) };
  }
}
