// What the stage tells beside the sample: the connection, what waits to be sent, how much is left, the page's address.

const PROGRESS_MS = 1500;
const SLOW_MS = 1000;

export class Status {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.connection = "";
    this.counted = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.counting = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.linking = undefined;
    /** the sample that Streamlit knows of @type {string | undefined} */
    this.told = undefined;
  }

  /** @param {string} kind "" once something went through @param {string} message the server's words */
  trouble(kind, message) {
    const before = this.connection;
    this.connection = kind;
    if (kind === "store" || kind === "signed_out") this.stage.drawing.alert(message, { id: kind });
    if (kind === "") for (const gone of ["store", "signed_out"]) this.stage.drawing.settle(gone);
    if (kind === "" && before === "offline") this.stage.drawing.tell(this.stage.say("online_again"));
    this.link();
  }

  /** Say beside the keys what waits. */
  link() {
    const n = this.stage.outbox.waiting().length;
    const trouble = this.stage.outbox.trouble;
    if (trouble.kind === "store" || trouble.kind === "signed_out") this.stage.drawing.alert(trouble.message, { id: trouble.kind });
    clearTimeout(this.linking);
    if (this.connection === "offline" || trouble.kind === "offline") {
      this.stage.drawing.link(this.stage.say("offline", { n, chars: this.stage.number(this.stage.drafts.unsent()) }));
    } else if (n === 0) {
      this.stage.drawing.link("");
    } else {
      // A slow answer, as from a locked database, is said; the usual one is not.
      this.linking = setTimeout(() => this.stage.drawing.link(this.stage.say("sending", { n: this.stage.outbox.waiting().length })), SLOW_MS);
    }
  }

  online() {
    void this.stage.outbox.send();
    this.stage.drafts.sendAll();
  }

  /**
   * Name the open sample in the page's address, for a reload. Streamlit is told only when the annotator turns to
   * something beside the stage: it answers by writing the address itself, late, and may name a sample decided since.
   */
  nameInAddress() {
    const address = new URL(location.href);
    const open = this.stage.samples.current?.id;
    if (open) address.searchParams.set("sample", open);
    else address.searchParams.delete("sample");
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  /** Tell Streamlit which sample is open: the other views show it. */
  tellStreamlit() {
    const open = this.stage.samples.current?.id ?? "";
    if (open === (this.told ?? this.stage.page.sample ?? "")) return;
    this.told = open;
    this.stage.component.setStateValue("sample", open);
  }

  countSoon() {
    this.counting ??= setTimeout(async () => {
      const { status, data } = await this.stage.api.post("progress", { filters: this.stage.page.filters });
      this.counting = undefined;
      if (status === 200) this.stage.drawing.progress(data.share, data.words);
    }, this.counted ? PROGRESS_MS : 0);
    this.counted = true;
  }

  close() {
    for (const timer of [this.counting, this.linking]) clearTimeout(timer);
  }
}
