// Unfinished rewrites: in the browser at each keystroke, on the server within a second, never overwritten unseen.
//
// A copy in the browser belongs to one tab. It is `dirty` until the server has it. `known` is the time of the server's
// draft that it continues: a draft there with another time was saved elsewhere.

import { passing } from "./api.js";

const PAUSE_MS = 300;
const LONGEST_MS = 1000;
const RETRY_MS = 2000;
const OLD_MS = 24 * 3600 * 1000;
// Browsers send at most 64 KiB when a page is left. The copy in the browser is there for more.
const LEAVING_BYTES = 60_000;

/** @typedef {{role: string, content: string, name?: string | null}} Turn */
/**
 * @typedef {object} Copy
 * @property {string} sample
 * @property {number} revision
 * @property {Turn[]} messages
 * @property {number} counter
 * @property {number} time
 * @property {string | null} known
 * @property {boolean} dirty
 * @property {string} tab
 */

/** @param {Turn[] | null | undefined} one @param {Turn[] | null | undefined} other */
export function sameTurns(one, other) {
  /** @param {Turn[] | null | undefined} turns */
  const plain = (turns) => JSON.stringify(turns?.map((t) => [t.role, t.content, t.name || null]) ?? null);
  return plain(one) === plain(other);
}

export class Drafts {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./kept.js").Kept} kept
   * @param {string} tab
   * @param {{saved: () => void, trouble: (kind: string, message: string) => void,
   *   elsewhere: (sample: string, theirs: any) => void}} tell
   */
  constructor(api, kept, tab, tell) {
    this.api = api;
    this.kept = kept;
    this.tab = tab;
    this.tell = tell;
    /** @type {Map<string, {since: number, timer: ReturnType<typeof setTimeout>}>} */
    this.timers = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.sending = new Map();
    /** @type {Set<string>} samples whose drafts wait for the annotator's choice */
    this.disputed = new Set();
    this.closed = false;
    // The server has these, and no tab that made them is still writing.
    for (const name of kept.names("draft:")) {
      const copy = kept.get(name);
      if (copy && !copy.dirty && copy.time < Date.now() - OLD_MS) kept.remove(name);
    }
  }

  /** @param {string} sample @param {string} [tab] */
  name(sample, tab = this.tab) {
    return `draft:${sample}:${tab}`;
  }

  /** This tab's copy. @param {string} sample @returns {Copy | null} */
  mine(sample) {
    return this.kept.get(this.name(sample));
  }

  /** Every tab's copy that the server does not have. @param {string} sample @returns {Copy[]} */
  dirty(sample) {
    const copies = this.kept.names(`draft:${sample}:`).map((name) => this.kept.get(name));
    return copies.filter((copy) => copy?.dirty).sort((one, other) => other.time - one.time);
  }

  /** How many characters the server does not have yet. */
  unsent() {
    let characters = 0;
    for (const name of this.kept.names("draft:")) {
      const copy = this.kept.get(name);
      if (copy?.dirty && copy.tab === this.tab) for (const turn of copy.messages) characters += turn.content.length;
    }
    return characters;
  }

  /**
   * Keep a text. In the browser at once; to the server after a short pause, or during the typing.
   * @param {string} sample @param {number} revision @param {Turn[]} messages
   */
  write(sample, revision, messages) {
    const before = this.mine(sample);
    /** @type {Copy} */
    const copy = {
      sample,
      revision,
      messages,
      counter: (before?.counter ?? 0) + 1,
      time: Date.now(),
      known: before?.known ?? null,
      dirty: true,
      tab: this.tab,
    };
    this.kept.set(this.name(sample), copy);
    this.later(sample);
  }

  /** Note which draft of the server's this tab's text continues. @param {string} sample @param {any} draft */
  continues(sample, draft) {
    const copy = this.mine(sample);
    if (copy) this.kept.set(this.name(sample), { ...copy, known: draft?.time ?? null });
    else if (draft) {
      const { messages, revision, time } = draft;
      const made = { sample, revision, messages, counter: 0, time: 0, known: time, dirty: false, tab: this.tab };
      this.kept.set(this.name(sample), made);
    }
  }

  /** @param {string} sample @param {number} [wait] */
  later(sample, wait = PAUSE_MS) {
    if (this.closed || this.disputed.has(sample)) return;
    const running = this.timers.get(sample);
    const since = running?.since ?? Date.now();
    clearTimeout(running?.timer);
    const pause = Math.max(0, Math.min(wait, since + LONGEST_MS - Date.now()));
    this.timers.set(sample, { since, timer: setTimeout(() => void this.flush(sample), wait > PAUSE_MS ? wait : pause) });
  }

  /**
   * Send this tab's copy now, if the server does not have it.
   * @param {string} sample @param {{leaving?: boolean, force?: boolean}} [how]
   * @returns {Promise<void>}
   */
  async flush(sample, { leaving = false, force = false } = {}) {
    clearTimeout(this.timers.get(sample)?.timer);
    this.timers.delete(sample);
    const copy = this.mine(sample);
    if (!copy?.dirty || (this.disputed.has(sample) && !force)) return;
    const { revision, messages, known } = copy;
    const body = { sample, revision, messages, known, force };
    if (leaving) {
      if (new Blob([JSON.stringify(body)]).size < LEAVING_BYTES) void this.api.send("PUT", "draft", body, true);
      return;
    }
    const busy = this.sending.get(sample);
    if (busy) {
      await busy; // one at a time: each continues the one before it
      return this.flush(sample, { force });
    }
    const sent = this.put(copy, body).finally(() => this.sending.delete(sample));
    this.sending.set(sample, sent);
    return sent;
  }

  /** @param {Copy} copy @param {Record<string, any>} body */
  async put(copy, body) {
    const { status, data } = await this.api.send("PUT", "draft", body);
    const now = this.mine(copy.sample);
    if (status === 200) {
      if (now) {
        const dirty = now.counter !== copy.counter;
        this.kept.set(this.name(copy.sample), { ...now, known: data.time, dirty });
        if (dirty) this.later(copy.sample);
      }
      this.tell.saved();
    } else if (data.refused === "draft") {
      this.disputed.add(copy.sample);
      this.tell.elsewhere(copy.sample, data.theirs);
    } else {
      this.tell.trouble(status === 0 ? "offline" : status === 401 ? "signed_out" : "store", data.message);
      if (passing(status)) this.later(copy.sample, RETRY_MS);
    }
  }

  /** Overwrite what is on the server, after the annotator has seen it. @param {string} sample */
  insist(sample) {
    this.disputed.delete(sample);
    const copy = this.mine(sample);
    if (copy) this.kept.set(this.name(sample), { ...copy, dirty: true });
    return this.flush(sample, { force: true });
  }

  /** Wait until nothing of this sample is on its way: a draft must not arrive behind the verdict that used it. */
  async settled(/** @type {string} */ sample) {
    clearTimeout(this.timers.get(sample)?.timer);
    this.timers.delete(sample);
    await this.sending.get(sample);
    clearTimeout(this.timers.get(sample)?.timer);
    this.timers.delete(sample);
  }

  /** Forget every tab's copy of a text that has been used or discarded. @param {string} sample @param {Turn[]} [used] */
  forget(sample, used) {
    this.disputed.delete(sample);
    clearTimeout(this.timers.get(sample)?.timer);
    this.timers.delete(sample);
    for (const name of this.kept.names(`draft:${sample}:`)) {
      const copy = this.kept.get(name);
      // Unsent text that differs is not the one that was used.
      if (!used || !copy?.dirty || sameTurns(copy.messages, used)) this.kept.remove(name);
    }
  }

  /** Send what waits, of every sample. */
  sendAll() {
    for (const name of this.kept.names("draft:")) {
      const copy = this.kept.get(name);
      if (copy?.dirty && copy.tab === this.tab) void this.flush(copy.sample);
    }
  }

  /** The page is being left. */
  leave() {
    for (const name of this.kept.names("draft:")) {
      const copy = this.kept.get(name);
      if (copy?.dirty && copy.tab === this.tab) void this.flush(copy.sample, { leaving: true });
    }
  }
}
