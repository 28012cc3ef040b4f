// Verdicts on their way: kept in the browser before the next sample is shown, sent in order, again until answered.

import { passing } from "./api.js";

/**
 * @typedef {object} Entry
 * @property {string} event_id
 * @property {string} sample
 * @property {number} revision
 * @property {number} seen
 * @property {string} verdict
 * @property {string} reason
 * @property {any[] | null} messages
 * @property {number} seconds
 * @property {string} [short] the sample in a few words, for messages
 * @property {string} [tab]
 */

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
// Another tab's entries are its own to send while it lives; after this they are taken to be left behind.
const ORPHAN_MS = 5_000;

export class Outbox {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./kept.js").Kept} kept
   * @param {string} tab
   * @param {{ready: (entry: Entry) => Promise<void>, recorded: (entry: Entry, data: any) => void,
   *   refused: (entry: Entry, data: any) => void, changed: () => void,
   *   filters: () => Record<string, string>}} tell
   */
  constructor(api, kept, tab, tell) {
    this.api = api;
    this.kept = kept;
    this.tab = tab;
    this.tell = tell;
    /** what keeps entries from being sent: "", "offline", "store" or "signed_out"; with the server's words */
    this.trouble = { kind: "", message: "" };
    this.failures = 0;
    this.last = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Promise<void> | null} */
    this.sending = null;
    this.closed = false;
  }

  /** Keep a verdict, then send it. @param {Entry} entry */
  add(entry) {
    this.last = Math.max(Date.now(), this.last + 1); // two in one millisecond stay in order
    this.kept.set(`out:${this.last}:${entry.event_id}`, { ...entry, tab: this.tab });
    this.tell.changed();
    void this.send();
  }

  /** The names of what waits, oldest first; other tabs' entries once they are left behind. */
  waiting() {
    return this.kept.names("out:").filter((name) => {
      const entry = this.kept.get(name);
      return entry && (entry.tab === this.tab || Number(name.split(":")[1]) < Date.now() - ORPHAN_MS);
    });
  }

  /** @param {string} sample */
  holds(sample) {
    return this.kept.names("out:").some((name) => this.kept.get(name)?.sample === sample);
  }

  /** Send what waits. Returns when nothing does, or when there is trouble. */
  send() {
    clearTimeout(this.timer);
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
      this.tell.changed();
    });
    return this.sending;
  }

  async sendAll() {
    for (let name = this.waiting()[0]; name && !this.closed; name = this.waiting()[0]) {
      const { short, tab, ...entry } = /** @type {Entry} */ (this.kept.get(name));
      await this.tell.ready(entry);
      const { status, data } = await this.api.post("verdict", { ...entry, filters: this.tell.filters() });
      if (status === 401 || passing(status)) {
        this.wait(status === 401 ? "signed_out" : status === 0 ? "offline" : "store", data.message);
        return;
      }
      this.failures = 0;
      this.trouble = { kind: "", message: "" };
      // First told, then forgotten: closing the page in between sends it once more, which changes nothing.
      if (status === 200) this.tell.recorded({ ...entry, short, tab }, data);
      else this.tell.refused({ ...entry, short, tab }, data);
      this.kept.remove(name);
      this.tell.changed();
    }
    if (this.trouble.kind === "offline" && this.waiting().length === 0) this.trouble = { kind: "", message: "" };
    // Another tab's, not old enough to be left behind: look again.
    const left = this.kept.names("out:").length > 0;
    if (left && !this.closed) this.timer = setTimeout(() => void this.send(), ORPHAN_MS);
  }

  /** @param {string} kind @param {string} message */
  wait(kind, message) {
    this.trouble = { kind, message };
    const pause = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    if (!this.closed) this.timer = setTimeout(() => void this.send(), pause);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
