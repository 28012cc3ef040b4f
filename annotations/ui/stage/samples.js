// The sample on the screen and the ones leased ahead of it. Knows nothing of keys, verdicts or drawing.

import { passing } from "./api.js";

const AHEAD = 4;
// A third of a lease: two renewals may be lost before another annotator gets the sample.
const RENEW_MS = 100_000;
const AGAIN_MS = 2_000;
const LOOK_AGAIN_MS = 4_000;

export class Samples {
  /**
   * @param {import("./api.js").Api} api
   * @param {Record<string, string>} filters
   * @param {{show: (item: any, why: string) => void, fresh: (item: any) => void, taken: (id: string) => boolean,
   *   trouble: (kind: string, message: string) => void, free: () => boolean}} tell `taken`: its verdict is on its way
   */
  constructor(api, filters, tell) {
    this.api = api;
    this.filters = filters;
    this.tell = tell;
    /** @type {any} */
    this.current = null;
    /** @type {any[]} */
    this.ahead = [];
    /** where the queue is worked through, when no sample is open @type {number | null} */
    this.rank = null;
    this.asked = 0; // a later request makes the answer to an earlier one unwanted
    this.filling = false;
    this.closed = false;
    this.renewing = setInterval(() => void this.renew(), RENEW_MS);
    this.looking = setInterval(() => void this.lookAgain(), LOOK_AGAIN_MS);
  }

  /** @param {any} item */
  set(item, why = "") {
    this.current = item;
    if (item) this.rank = item.rank;
    this.tell.show(item, why);
  }

  /** @returns {string[]} the ids of what is leased */
  leased() {
    return [this.current, ...this.ahead].filter((item) => item).map((item) => item.id);
  }

  /**
   * Ask the server for a sample to show. What is shown stays until it is there.
   * @param {Record<string, any>} request
   */
  async open(request) {
    this.asked += 1;
    const asked = this.asked;
    const body = { filters: this.filters, want: AHEAD, ...request };
    const { status, data } = await this.api.post("open", body);
    if (this.closed) return;
    if (asked !== this.asked) {
      if (status === 200) this.release(this.strays([data.item, ...data.ahead]));
      return;
    }
    if (status !== 200) {
      this.tell.trouble(status === 0 ? "offline" : status === 401 ? "signed_out" : "store", data.message);
      if (passing(status)) setTimeout(() => asked === this.asked && void this.open(request), AGAIN_MS);
      return;
    }
    this.arrive(data, body);
  }

  /** @param {any} data @param {Record<string, any>} body */
  arrive(data, body) {
    const now = Date.now();
    for (const item of [data.item, ...data.ahead]) if (item) item.at = now;
    if (data.first) {
      this.tell.show(this.current, "first");
      return;
    }
    const item = data.item && this.tell.taken(data.item.id) && !body.sample ? null : data.item;
    const before = this.current;
    const add = data.ahead.filter((one) => one.id !== item?.id && !this.tell.taken(one.id));
    // Going back, or to a sample by name, comes back to the one that was open.
    const back = before && before.id !== item?.id && (body.back || body.sample) ? [before] : [];
    const kept = [...back, ...this.ahead].filter((one) => one.id !== item?.id);
    const known = new Set(kept.map((one) => one.id));
    const all = [...kept, ...add.filter((one) => !known.has(one.id))];
    this.ahead = all.slice(0, 2 * AHEAD);
    this.release(all.slice(2 * AHEAD).map((one) => one.id));
    if (!item && this.ahead.length > 0) this.set(this.ahead.shift());
    else this.set(item, data.missing ? "missing" : item ? "" : "nothing");
  }

  /** Go on to the next sample: from memory, or else from the server. @param {string[]} release */
  next(release = []) {
    this.asked += 1;
    const after = this.current?.rank ?? this.rank;
    if (this.ahead.length > 0) {
      this.set(this.ahead.shift());
      void this.fill(release);
    } else {
      this.set(null, "loading");
      void this.open({ after, release });
    }
  }

  /** Keep some samples leased ahead. @param {string[]} [release] */
  async fill(release = []) {
    if (this.filling || this.closed) {
      this.release(release);
      return;
    }
    const want = AHEAD - this.ahead.length;
    if (want <= 0) {
      this.release(release);
      return;
    }
    this.filling = true;
    const filters = this.filters;
    const after = this.ahead.at(-1)?.rank ?? this.current?.rank ?? this.rank;
    const { status, data } = await this.api.post("more", { filters, after, want, release });
    this.filling = false;
    if (status !== 200) return; // the next key asks again
    const now = Date.now();
    const leased = new Set(this.leased());
    const fresh = data.ahead.filter((item) => !leased.has(item.id) && !this.tell.taken(item.id));
    if (this.closed || filters !== this.filters) {
      this.release(fresh.map((item) => item.id));
      return;
    }
    for (const item of fresh) item.at = now;
    this.ahead.push(...fresh);
  }

  /** @param {any[]} items @returns {string[]} */
  strays(items) {
    const leased = new Set(this.leased());
    return items.filter((item) => item && !leased.has(item.id) && !this.tell.taken(item.id)).map((item) => item.id);
  }

  /** Keep what is on the screen, whatever is on its way. */
  stay() {
    this.asked += 1;
  }

  /** Put the open sample behind another one, which is shown instead. @param {any} item */
  instead(item) {
    this.asked += 1;
    item.at = Date.now();
    const back = this.current && this.current.id !== item.id ? [this.current] : [];
    this.ahead = [...back, ...this.ahead.filter((one) => one.id !== item.id)];
    this.set(item);
  }

  /** Work through other samples. @param {Record<string, string>} filters */
  refilter(filters) {
    const release = this.leased();
    this.filters = filters;
    this.ahead = [];
    this.rank = null;
    this.set(null, "loading");
    void this.open({ release });
  }

  /** Fetch again what is shown of a sample that is open or ahead. @param {string} id */
  async refresh(id) {
    const { status, data } = await this.api.post("open", { sample: id, filters: this.filters, want: 0 });
    if (status !== 200 || data.item?.id !== id || this.closed) return;
    data.item.at = Date.now();
    this.ahead = this.ahead.map((item) => (item.id === id ? data.item : item));
    if (this.current?.id === id) this.tell.fresh(data.item);
  }

  /** The verdict on a sample changes what is shown of its near-duplicates. @param {string} id */
  judged(id) {
    for (const item of [this.current, ...this.ahead]) {
      if (item && item.id !== id && item.cluster.some((member) => member.id === id)) void this.refresh(item.id);
    }
  }

  /** @param {string[]} ids */
  release(ids, leaving = false) {
    if (ids.length > 0) void this.api.send("POST", "keep", { release: ids }, leaving);
  }

  async renew() {
    const { status, data } = await this.api.post("keep", { samples: this.leased() });
    if (status === 200) this.api.token = data.token;
    else this.tell.trouble(status === 0 ? "offline" : status === 401 ? "signed_out" : "store", data.message);
  }

  /** What another annotator has open may have become free. */
  async lookAgain() {
    if (this.current?.held && this.tell.free() && !document.hidden) await this.refresh(this.current.id);
  }

  /** @param {boolean} leaving the page goes away, not only the view */
  close(leaving) {
    this.closed = true;
    clearInterval(this.renewing);
    clearInterval(this.looking);
    // Another view may show the open sample: its lease stays.
    this.release(leaving ? this.leased() : this.ahead.map((item) => item.id), leaving);
  }
}
