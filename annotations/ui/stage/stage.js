// The stage: one sample on the screen, the keys, and what each key does in each mode.
//
// A key acts at once on what is on the screen. A verdict names the sample, revision and newest event of what has been
// painted; it is kept in the browser before the next sample is drawn; a mode's field has the focus before the handler
// of its key returns. So no letter that was meant for a text can become a verdict.

import { Api } from "./api.js";
import { Drafts } from "./drafts.js";
import { Drawing } from "./drawing.js";
import { keepFocus } from "./focus.js";
import { Kept, tabId } from "./kept.js";
import { listen } from "./keys.js";
import { Meaning } from "./meaning.js";
import { Naming } from "./naming.js";
import { Outbox } from "./outbox.js";
import { Panels } from "./panels.js";
import { Samples } from "./samples.js";
import { Status } from "./status.js";
import { Suggesting } from "./suggesting.js";
import { Verdicts } from "./verdicts.js";
import { Watch } from "./watch.js";
import { Writing } from "./writing.js";

const TYPED = new Set(["edit", "note", "other", "scene"]);
// Who pauses this long has seen that nothing opened to type into.
const DEAF_MS = 1000;

/**
 * Show the stage, or give the shown one its new data: Streamlit calls this at each run of the page's script.
 * @param {HTMLElement} root @param {any} component @param {Stage | null} before
 * @returns {Stage}
 */
export function show(root, component, before) {
  const { who, desk } = component.data;
  if (before && before.page.who === who && before.page.desk === desk) {
    before.update(component);
    return before;
  }
  before?.leave();
  return new Stage(root, component);
}

export class Stage {
  /** @param {HTMLElement} root @param {any} component */
  constructor(root, component) {
    const page = component.data;
    this.root = root;
    this.page = page;
    this.component = component;
    this.mode = "look";
    /** the sample as it was painted last: only on it a key may judge @type {any} */
    this.painted = null;
    this.blocked = false;
    this.missed = 0;
    /** the mode that a key could not open: what follows was meant for its text. "" when keys count */
    this.deaf = "";
    /** what the page's script asked for while the annotator was typing @type {(() => void) | null} */
    this.later = null;
    this.late = false;
    /** @type {{key: string, go: () => void} | null} */
    this.asked = null;
    this.drawing = new Drawing(root, page);
    this.status = new Status(this);
    this.verdicts = new Verdicts(this);
    this.api = new Api(page.address, page.token, page.language);
    const kept = new Kept(page.desk, page.who, () => this.drawing.alert(this.say("no_storage"), { id: "storage" }));
    this.kept = kept;
    const tab = tabId();
    this.drafts = new Drafts(this.api, kept, tab, {
      saved: () => this.status.trouble("", ""),
      trouble: (kind, message) => this.status.trouble(kind, message),
      elsewhere: (sample, theirs) => this.writing.elsewhere(sample, theirs),
    });
    this.outbox = new Outbox(this.api, kept, tab, {
      ready: async (entry) => {
        await this.drafts.settled(entry.sample);
        if (entry.verdict === "rewrite") Object.assign(entry, { known: this.drafts.mine(entry.sample)?.known ?? null });
      },
      recorded: (entry, data) => this.verdicts.recorded(entry, data),
      refused: (entry, data) => this.verdicts.refused(entry, data),
      changed: () => this.status.link(),
      filters: () => this.samples.filters,
    });
    this.watch = new Watch();
    this.writing = new Writing(this);
    this.samples = new Samples(this.api, page.filters, {
      show: (item, why) => this.showItem(item, why),
      fresh: (item) => this.refreshed(item),
      taken: (id) => this.outbox.holds(id),
      trouble: (kind, message) => this.status.trouble(kind, message),
      free: () => this.mode === "look",
    });
    this.ends = [listen(root, (name, field, repeated) => this.key(name, field, repeated)), keepFocus(root)];
    this.panels = new Panels(this);
    this.meaning = new Meaning(this);
    this.naming = new Naming(this);
    this.suggesting = new Suggesting(this);
    this.on(root, "click", (event) => this.click(event));
    this.on(document, "visibilitychange", () => (document.hidden ? this.drafts.sendAll() : this.status.online()));
    this.on(window, "online", () => this.status.online());
    this.on(window, "pagehide", () => {
      this.drafts.leave();
      this.samples.release(this.samples.leased(), true);
    });
    this.on(window, "pageshow", (event) => event.persisted && void this.samples.renew());
    // Another view may be about to be opened: it shows this sample.
    this.on(document, "pointerdown", (event) => root.contains(event.target) || this.status.tellStreamlit());
    this.on(document, "keydown", (event) => event.key === "Tab" && this.status.tellStreamlit());
    this.drawing.lookKeys(null);
    this.drawing.item(null, "loading");
    this.openEditor = page.edit;
    void this.samples.open(page.sample ? { sample: page.sample } : { resume: true });
    void this.outbox.send();
    this.drafts.sendAll();
    this.status.countSoon();
    root.focus({ preventScroll: true });
  }

  /** @param {any} target @param {string} kind @param {(event: any) => void} listener */
  on(target, kind, listener) {
    target.addEventListener(kind, listener);
    this.ends.push(() => target.removeEventListener(kind, listener));
  }

  /** @param {string} word @param {Record<string, string | number>} [values] */
  say(word, values) {
    return this.drawing.say(word, values);
  }

  /** @param {number} value */
  number(value) {
    return value.toLocaleString(this.page.language);
  }

  /** The page's script ran again: words, filters, token, or another view's wish. @param {any} component */
  update(component) {
    const [before, page] = [this.page, component.data];
    this.component = component;
    this.page = page;
    this.drawing.page = page;
    this.writing.editor.page = page;
    Object.assign(this.api, { token: page.token, language: page.language, address: page.address });
    this.drawing.restyle();
    if (this.samples.current) this.status.nameInAddress(); // Streamlit may have written an older one
    void this.outbox.send();
    if (JSON.stringify(before.filters) !== JSON.stringify(page.filters)) {
      this.whenFree(() => {
        this.look();
        this.samples.refilter(page.filters);
        this.status.countSoon();
      });
    } else if (page.asked > before.asked && page.sample !== this.samples.current?.id) {
      this.whenFree(() => {
        this.openEditor = page.edit;
        void this.samples.open(page.sample ? { sample: page.sample } : {});
      });
    } else if (before.language !== page.language) {
      if (this.mode === "look") this.look();
      for (const id of this.samples.leased()) void this.samples.refresh(id);
      this.status.countSoon();
    }
  }

  /** Do this now, or when the annotator has left the field they type into. @param {() => void} change */
  whenFree(change) {
    if (TYPED.has(this.mode)) this.later = change;
    else change();
  }

  /** A field is open: a sample that is on its way must not take its place. @param {"edit" | "note" | "other"} mode */
  typeInto(mode) {
    this.mode = mode;
    this.samples.stay();
  }

  // ---------------------------------------------------------------- what is on the screen

  /** @param {any} item @param {string} why */
  showItem(item, why) {
    if (why === "first") {
      this.drawing.tell(this.say("first_one"));
      return;
    }
    if (this.mode !== "look") this.writing.close();
    this.suggesting.shown(item);
    this.draw(item, why === "loading" ? "loading" : "nothing_left");
    this.watch.start();
    if (why === "missing") this.drawing.tell(this.say("gone_sample"), item?.spoken);
    else if (why === "nothing") this.drawing.tell(this.say("nothing_left"));
    else if (item && this.late) this.drawing.tell("", item.spoken);
    this.late = why === "loading";
    // A long sample has been scrolled through: the next one begins at its top.
    if (this.root.getBoundingClientRect().top < 0) this.root.scrollIntoView({ block: "start" });
    this.status.nameInAddress();
    if (item && this.openEditor) this.writing.begin(item);
    this.openEditor = false;
    const later = this.later;
    this.later = null;
    later?.();
  }

  /** The open sample as the annotator sees it; null until it has been painted. */
  get seen() {
    const current = this.samples.current;
    return current && this.painted?.id === current.id ? this.painted : null;
  }

  /** @param {any} item @param {string} [empty] */
  draw(item, empty) {
    this.painted = null;
    this.drawAgain(item, empty);
  }

  /** Until the frame is there, what was painted of this sample before is what the annotator sees. @param {any} item @param {string} [empty] */
  drawAgain(item, empty) {
    this.mode = "look";
    this.asked = null;
    this.drawing.pane("look");
    this.drawing.item(item, empty);
    this.drawing.lookKeys(item);
    if (!item) return;
    this.drawing.draftNote(this.writing.note(item));
    this.panels.drawn(item);
    const channel = new MessageChannel();
    // A message that is sent in the frame's callback is read after the frame has been painted.
    channel.port1.onmessage = () => {
      if (this.samples.current === item) this.painted = item;
    };
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }

  /** Back from a mode to the sample, which is drawn already. */
  look() {
    const item = this.samples.current;
    this.mode = "look";
    this.asked = null;
    this.drawing.pane("look");
    this.drawing.lookKeys(item);
    if (item) this.drawing.draftNote(this.writing.note(item));
    this.root.focus({ preventScroll: true });
    const later = this.later;
    this.later = null;
    later?.();
  }

  /**
   * What is shown of the open sample was fetched again. In the middle of something the annotator keeps what they see:
   * a verdict names what is on the screen.
   * @param {any} item
   */
  refreshed(item) {
    if (this.mode !== "look" || this.blocked || this.samples.current?.id !== item.id) return;
    this.samples.current = item;
    this.drawAgain(item);
  }

  // ---------------------------------------------------------------- keys

  /**
   * @param {string} name @param {HTMLElement | null} field the text field that has the focus @param {boolean} repeated
   * @returns {boolean} whether the key was the stage's
   */
  key(name, field, repeated) {
    if (this.mode === "edit") {
      if (repeated) return name === "Ctrl+Enter" || name === "Escape";
      if (name === "Ctrl+Enter") this.writing.save();
      else if (name === "Escape") this.writing.leave();
      else return false;
      return true;
    }
    if (this.mode === "scene") {
      if (name === "Escape") this.naming.back();
      else if (!name.endsWith("Enter")) this.drawing.tell(this.say("scene_leave"));
      else if (!repeated) void this.naming.apply();
      return true;
    }
    if (this.mode === "note" || this.mode === "other") {
      if (name === "Escape") this.act("cancel");
      else if (name.endsWith("Enter")) repeated || this.act("done");
      else {
        // The focus has left the line, as after a click beside it: the letter belongs there.
        if (!field) this.drawing.part(".line").focus();
        return false;
      }
      return true;
    }
    if (field) return false;
    if (this.deaf) {
      this.miss("not_counted");
      this.listenAfterPause();
      this.deaf = this.deafAfter(name);
      return true;
    }
    if (this.mode === "choice" && name.length === 1) this.drawing.tell(this.say("draft_choose"));
    if (this.mode === "look" && name.length === 1) {
      const own = this.root.querySelector(`details[data-key="${name}"]`);
      if (own instanceof HTMLDetailsElement) own.open = repeated ? own.open : !own.open;
      if (own) return true;
    }
    if (this.mode === "look" && name === "Escape" && this.panels.closeGuide()) return true;
    const action = this.actionOf(name);
    if (this.mode === "twins" && !action && name.length === 1) this.drawing.tell(this.say("twins_leave"));
    if (this.mode === "reject" && !action) this.drawing.tell(this.say("why_reject"));
    if (action && !repeated) this.act(action);
    // Whoever presses e, m or x continues to type. If nothing opened, those letters must not judge what comes next.
    if (["edit", "note", "reject", "take"].includes(action) && this.mode === "look" && !repeated) {
      this.deaf = action;
      this.listenAfterPause();
    }
    return action !== "";
  }

  /** What is still to be left out behind this key, as if the mode had opened. @param {string} name */
  deafAfter(name) {
    if (name.length > 1) return ""; // Escape, Enter and Ctrl+Enter end what was being typed
    const [reason] = this.page.reasons[Number(name) - 1] ?? [];
    if (this.deaf !== "reject" || reason === undefined) return this.deaf;
    return reason === "other" ? "other" : "";
  }

  listenAfterPause() {
    clearTimeout(this.pausing);
    this.pausing = setTimeout(() => {
      this.deaf = "";
    }, DEAF_MS);
  }

  /** @param {string} name @returns {string} the action of a key in this mode, "" where it has none */
  actionOf(name) {
    if (this.mode === "choice") return name === "Escape" ? "cancel" : "";
    if (this.mode === "twins") return name === "Escape" || name === "t" ? "cancel" : "";
    if (this.mode === "sure") {
      if (name === "Escape") return "cancel";
      return name === "Enter" || name === this.asked?.key ? "yes" : "";
    }
    if (this.mode === "reject") {
      if (name === "Escape") return "cancel";
      return Number(name) >= 1 && Number(name) <= this.page.reasons.length ? `reason-${name}` : "";
    }
    const button = this.root.querySelector(`[data-action][aria-keyshortcuts="${name}"]`);
    return button instanceof HTMLElement ? (button.dataset.action ?? "") : "";
  }

  /** @param {MouseEvent} event */
  click(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    if (!(button instanceof HTMLButtonElement) || button.disabled) return;
    this.act(button.dataset.action ?? "", button);
  }

  /** Do what a key or a button says. @param {string} action @param {HTMLElement} [button] */
  act(action, button) {
    const item = this.samples.current;
    const [, number] = /^reason-(\d)$/.exec(action) ?? [];
    if (number) this.reason(Number(number) - 1);
    else if (action === "help") this.help();
    else if (action === "guide") void this.panels.toggleGuide();
    else if (action === "name-scene") void this.naming.apply();
    else if (action === "suggest-close") this.suggesting.close();
    else if (action === "undo") void this.verdicts.undo();
    else if (action === "dismiss") button?.parentElement?.remove();
    else if (action === "cancel" && this.mode === "scene") this.naming.back();
    else if (action === "cancel") this.mode === "edit" || this.mode === "choice" ? this.writing.leave() : this.look();
    else if (action === "yes") this.sure();
    else if (action === "done") this.finish();
    else if (action === "choose") this.writing.chooseNow();
    else if (/^(merge|keep|take)-/.test(action)) this.writing.chose(action);
    else if (action === "open") {
      button?.closest(".stage-alerts > *")?.remove();
      void this.samples.open({ sample: button?.dataset.sample });
    } else if (action === "discard") this.ask(this.say("discard_sure"), "", "", () => void this.writing.discard());
    else if (!item || this.blocked) this.miss();
    else if (action === "note") this.note(item);
    else if (action === "same" || action === "different") void this.meaning.judge(item, action, button);
    else if (action === "twins") void this.panels.twins(item);
    else if (action === "suggest" || action === "suggest-again") void this.suggesting.ask(item, action === "suggest-again");
    else if (action === "take" && item.can_judge) this.suggesting.take(item);
    // A mode may open on a sample that is about to be painted; a verdict may not be made on it.
    else if ((action === "reject" || action === "edit") && item.can_judge) this.open(action, item);
    else if (!this.seen) this.miss();
    else if (action === "approve" || action === "skip") this.verdicts.judge(action, { key: action === "approve" ? "a" : "s" });
    else if (action === "next") this.samples.next([item.id]);
    else if (action === "previous") void this.samples.open({ back: true, after: item.rank });
    else if (!item.can_judge) this.drawing.tell(this.say("cannot_judge"));
    else if (action.startsWith("cluster-")) this.verdicts.cluster(item, action.slice("cluster-".length));
  }

  /** A key judges nothing, because no sample was on the screen or nothing was open to type into: report it. */
  miss(words = "not_on_screen") {
    this.missed += 1;
    this.drawing.tell(this.say(words, { n: this.missed }));
  }

  /** @param {string} action @param {any} item */
  open(action, item) {
    if (action === "edit") {
      this.writing.begin(item);
      return;
    }
    this.mode = "reject";
    this.samples.stay();
    this.drawing.reasonKeys();
  }

  /** @param {number} at */
  reason(at) {
    const [code] = this.page.reasons[at];
    if (code !== "other") {
      const made = this.verdicts.judge("reject", { reason: code, key: String(at + 1) });
      // It came before the sample was painted: the next digit is not a reason any more.
      if (!made && this.mode === "reject") this.look();
      return;
    }
    this.typeInto("other");
    this.drawing.line(this.say("other_reason_text"), this.say("save_reason"), "", () => undefined);
  }

  /** @param {any} item */
  note(item) {
    this.typeInto("note");
    const name = `note:${item.id}`;
    this.drawing.line(this.say("note_text"), this.say("save_note"), this.kept.get(name) ?? "", (text) =>
      this.kept.set(name, text),
    );
  }

  /** Enter, Ctrl+Enter or the button of a mode's field. */
  finish() {
    if (this.mode === "edit") {
      this.writing.save();
      return;
    }
    const text = /** @type {HTMLInputElement} */ (this.drawing.part(".line")).value.trim();
    if (this.mode === "other") this.verdicts.judge("reject", { reason: text ? `other; ${text}` : "other", key: "Enter" });
    else if (!text) this.look();
    else if (this.verdicts.judge("note", { reason: text, key: "Enter" })) {
      this.kept.remove(`note:${this.samples.current.id}`);
      this.look();
    }
  }

  /** @param {string} words @param {string} hint @param {string} key @param {() => void} go */
  ask(words, hint, key, go) {
    this.mode = "sure";
    this.asked = { key, go };
    this.drawing.pane("look");
    this.drawing.question(words, hint, key);
    this.root.focus({ preventScroll: true });
  }

  sure() {
    const go = this.asked?.go;
    this.asked = null;
    this.mode = "look";
    go?.();
  }

  help() {
    const table = this.drawing.part(".stage-help");
    table.hidden = !table.hidden;
  }

  /** Another view takes the place. */
  leave() {
    if (this.mode === "edit") this.writing.leave();
    this.drafts.sendAll();
    this.samples.close(false);
    this.outbox.close();
    this.watch.close();
    this.suggesting.close();
    this.panels.close();
    this.status.close();
    clearTimeout(this.pausing);
    for (const end of this.ends) end();
  }
}
