// What the annotator opens beside a sample: near-duplicates, neighbours by meaning, the lines around it, the guidelines.
// Fetched when it is opened. No key of theirs judges anything.

import { el, find, localTimes } from "./dom.js";

// The model is still reading: how long until the page asks again.
const AGAIN_MS = 1000;

export class Panels {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** which parts below a sample are open: they stay so from sample to sample @type {Record<string, boolean>} */
    this.open = { context: false, meaning: false };
    /** what was fetched last of each part, so that drawing a sample again does not make it flicker @type {Map<string, {id: string, html: string}>} */
    this.fetched = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined;
    const drawing = stage.drawing;
    this.guide = drawing.part(".stage-guide");
    this.beside = drawing.part(".stage-twins");
    // `toggle` does not bubble.
    const toggled = (/** @type {Event} */ event) => this.toggled(event.target);
    stage.root.addEventListener("toggle", toggled, true);
    stage.ends.push(() => stage.root.removeEventListener("toggle", toggled, true));
  }

  /**
   * Fetch a part into its place.
   * @param {HTMLElement} place @param {string} part @param {string} sample @param {() => boolean} wanted
   * @returns {Promise<{html: string, wait?: boolean} | null>} null where it did not come or is not wanted any more
   */
  async fetch(place, part, sample, wanted) {
    if (!place.hasChildNodes()) place.replaceChildren(el("p", { class: "quiet", text: this.stage.say("loading_part") }));
    const { status, data } = await this.stage.api.post("part", { part, sample });
    if (!wanted()) return null;
    if (status !== 200) {
      const why = status === 0 ? this.stage.say("offline", { n: 0, chars: 0 }) : data.message;
      place.replaceChildren(el("p", { class: "notice bad", text: this.stage.say("part_failed", { why }) }));
      return null;
    }
    this.fill(place, data.html);
    return data;
  }

  /** @param {HTMLElement} place @param {string} html */
  fill(place, html) {
    place.replaceChildren(el("div", { html }));
    localTimes(place, this.stage.page.language);
  }

  // ---------------------------------------------------------------- near-duplicates

  /** Show the near-duplicates in the sample's place. Esc, or t again, goes back. @param {any} item */
  async twins(item) {
    const { drawing } = this.stage;
    if (!item.twins) {
      drawing.tell(this.stage.say("twins_none"));
      return;
    }
    this.stage.mode = "twins";
    this.stage.samples.stay();
    drawing.pane("twins");
    drawing.twinKeys();
    this.beside.replaceChildren();
    this.beside.focus({ preventScroll: true });
    if (this.stage.root.getBoundingClientRect().top < 0) this.stage.root.scrollIntoView({ block: "start" });
    await this.fetch(this.beside, "twins", item.id, () => this.stage.mode === "twins" && this.stage.samples.current === item);
  }

  // ---------------------------------------------------------------- below the sample: lines around, meaning

  /** A sample has been drawn. @param {any} item */
  drawn(item) {
    clearTimeout(this.again);
    for (const part of Object.keys(this.open)) {
      const details = this.stage.root.querySelector(`details[data-part="${part}"]`);
      if (!(details instanceof HTMLDetailsElement) || !this.open[part]) continue;
      // Filled at once where it is known, so that a sample that is drawn again does not flicker.
      const known = this.fetched.get(part);
      if (known && known.id === item.id) this.fill(find(details, `.${part}`), known.html);
      details.open = true;
    }
  }

  /** A part has come with the answer to something else. @param {string} part @param {string} sample @param {any} data */
  arrived(part, sample, data) {
    this.fetched.set(part, { id: sample, html: data.html });
    const details = this.stage.root.querySelector(`details[data-part="${part}"]`);
    if (this.stage.samples.current?.id === sample && details instanceof HTMLDetailsElement && details.open) {
      this.fill(find(details, `.${part}`), data.html);
    }
  }

  /** @param {EventTarget | null} target */
  async toggled(target) {
    const item = this.stage.samples.current;
    const part = target instanceof HTMLDetailsElement ? (target.dataset.part ?? "") : "";
    if (!(target instanceof HTMLDetailsElement) || !(part in this.open) || !item) return;
    const opened = target.open && !this.open[part]; // by the annotator, not because the last sample's were open
    this.open[part] = target.open;
    if (!target.open) return;
    const place = find(target, `.${part}`);
    const known = this.fetched.get(part);
    if (known && known.id === item.id) this.fill(place, known.html);
    else await this.load(target, part, item.id);
    if (opened) target.scrollIntoView({ block: "nearest" });
  }

  /** Fetch a part, and again while it is not ready. @param {HTMLDetailsElement} details @param {string} part @param {string} sample */
  async load(details, part, sample) {
    const data = await this.fetch(find(details, `.${part}`), part, sample, () => details.isConnected && details.open);
    if (!data) return;
    if (data.wait) this.again = setTimeout(() => void this.load(details, part, sample), AGAIN_MS);
    else this.fetched.set(part, { id: sample, html: data.html });
  }

  close() {
    clearTimeout(this.again);
  }

  // ---------------------------------------------------------------- guidelines

  /** Open or close the guidelines. They stay open from sample to sample, and beside the editor. */
  async toggleGuide() {
    const open = this.guide.hidden !== false;
    this.guide.hidden = !open;
    this.stage.drawing.part(".stage-body").classList.toggle("guided", open);
    this.stage.drawing.part('[data-action="guide"]').setAttribute("aria-expanded", String(open));
    if (open) await this.fetch(this.guide, "guidelines", "", () => !this.guide.hidden);
  }

  /** Close the guidelines, if they are open. */
  closeGuide() {
    if (this.guide.hidden) return false;
    void this.toggleGuide();
    return true;
  }
}
