// The stage's elements: what is drawn for a sample, for each mode, and for messages. Knows nothing of requests.

import { el, fill, find, localTimes } from "./dom.js";

/** @typedef {[action: string, word: string, key: string, kind?: string]} Key */

/** @type {Key[]} */
const LOOK = [
  ["approve", "approve", "a", "main"],
  ["reject", "reject", "x"],
  ["edit", "edit", "e"],
  ["skip", "skip", "s"],
  ["undo", "undo", "u"],
  ["previous", "previous", "p"],
  ["next", "next", "n"],
  ["note", "note", "m"],
  ["help", "help", "h"],
];
const NEEDS_SAMPLE = new Set(["approve", "reject", "edit", "skip", "next", "note"]);
const NEEDS_RIGHT = new Set(["approve", "reject", "edit"]);

export class Drawing {
  /** @param {HTMLElement} root @param {any} page */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    root.replaceChildren(
      el(
        "div",
        { class: "stage-progress" },
        el("progress", { max: 1, value: 0, "aria-hidden": "true" }),
        el("span"),
        el("div", { class: "stage-guide-key" }),
      ),
      el("div", { class: "stage-help", hidden: true }),
      el(
        "div",
        { class: "stage-body" },
        el("div", { class: "columns stage-look" }, el("div", { class: "stage-item" }), el("div", { class: "stage-aside" })),
        el("div", { class: "stage-editor", hidden: true }),
        el("div", { class: "stage-choice", hidden: true }),
        el("div", { class: "stage-scene", hidden: true, tabindex: "-1" }),
        el("div", { class: "stage-twins", hidden: true, tabindex: "-1" }),
        el("aside", { class: "stage-guide", hidden: true, tabindex: "0" }),
      ),
      el(
        "div",
        { class: "stage-bar" },
        el("div", { class: "stage-suggestion", hidden: true }),
        el("div", { class: "stage-alerts", role: "alert" }),
        el("div", { class: "stage-link", hidden: true }),
        el("div", { class: "stage-told", role: "status", "aria-live": "polite" }),
        el("div", { class: "stage-keys", role: "group" }),
      ),
    );
    this.restyle();
  }

  /** @param {string} selector */
  part(selector) {
    return find(this.root, selector);
  }

  /** @param {string} word @param {Record<string, string | number>} [values] */
  say(word, values) {
    return fill(this.page.words[word], values);
  }

  /** Follow the page's language and its light or dark theme. */
  restyle() {
    document.documentElement.lang = this.page.language;
    this.part(".stage-keys").setAttribute("aria-label", this.page.words.keys_of);
    this.part(".stage-help").innerHTML = this.page.help;
    this.part(".stage-guide").setAttribute("aria-label", this.page.words.guidelines);
    const guide = this.button("guide", this.page.words.guidelines_key, "g", "small");
    guide.setAttribute("aria-expanded", String(!this.part(".stage-guide").hidden));
    this.part(".stage-guide-key").replaceChildren(guide);
    const shade = document.createElement("canvas").getContext("2d");
    if (!shade) return;
    shade.fillStyle = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim() || "#fff";
    const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(String(shade.fillStyle).slice(at, at + 2), 16));
    this.root.dataset.theme = 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
  }

  /** Draw a sample, or that there is none. @param {any} item @param {string} [empty] the words for none */
  item(item, empty = "nothing_left") {
    const place = this.part(".stage-item");
    const aside = this.part(".stage-aside");
    if (!item) {
      delete place.dataset.sample;
      const hint = empty === "nothing_left" ? el("p", { text: this.say("nothing_left_hint") }) : null;
      place.replaceChildren(el("p", { class: "notice info", text: this.say(empty) }), ...(hint ? [hint] : []));
      aside.replaceChildren();
      return;
    }
    place.dataset.sample = item.id;
    place.dataset.revision = item.revision;
    place.replaceChildren(
      ...item.above.map(({ part, html }) => el("div", { "data-part": part, html })),
      el("div", { "data-part": "decided", html: item.decided }),
      el("div", { "data-part": "draft" }),
      el("div", { "data-part": "turns", html: item.turns }),
      this.tools(item),
      this.folded("meaning", "i"),
      ...(item.lines ? [this.folded("context", "c")] : []),
    );
    localTimes(place, this.page.language);
    aside.replaceChildren(...item.beside.map(({ part, html }) => el("section", { "data-part": part, html })));
    localTimes(aside, this.page.language);
  }

  /** What the annotator can ask for beside a sample. @param {any} item */
  tools(item) {
    const twins = this.button("twins", this.say("twins", { n: item.twins }), "t", "small");
    twins.hidden = !item.twins; // the key reports that there are none
    const suggest = this.button("suggest", this.say("suggest"), "r", "small");
    return el("div", { class: "row", "data-part": "tools" }, twins, suggest);
  }

  /** A part that is folded, and fetched when it is opened. @param {string} part @param {string} key */
  folded(part, key) {
    const letter = el("kbd", { "aria-hidden": "true", text: key });
    const title = el("summary", {}, `${this.say(part)} `, letter);
    return el("details", { "data-part": part, "data-key": key }, title, el("div", { class: part }));
  }

  /** Show one of these. @param {"look" | "editor" | "choice" | "twins" | "scene"} which */
  pane(which) {
    this.part(".stage-look").hidden = which !== "look";
    this.part(".stage-editor").hidden = which !== "editor";
    this.part(".stage-choice").hidden = which !== "choice";
    this.part(".stage-twins").hidden = which !== "twins";
    this.part(".stage-scene").hidden = which !== "scene";
  }

  /** The note that there is a draft. @param {string} words "" for none */
  draftNote(words) {
    const place = this.root.querySelector('[data-part="draft"]');
    if (!place) return;
    const button = el("button", { type: "button", "data-action": "edit", text: this.say("edit") });
    place.replaceChildren(...(words ? [el("p", { class: "notice info" }, `${words} `, button)] : []));
  }

  /**
   * @param {string} action @param {string} label @param {string} key @param {string} [kind] @param {boolean} [off]
   */
  button(action, label, key, kind = "", off = false) {
    const properties = { type: "button", "data-action": action, class: kind, disabled: off };
    const letter = key ? el("kbd", { "aria-hidden": "true", text: key }) : null;
    const made = el("button", properties, el("span", { text: label }), letter);
    if (key) made.setAttribute("aria-keyshortcuts", key.replace("Ctrl", "Control"));
    return made;
  }

  /** The keys for looking at a sample. @param {any} item */
  lookKeys(item) {
    this.keys(
      LOOK.map(([action, word, key, kind]) => {
        const off = (NEEDS_SAMPLE.has(action) && !item) || (NEEDS_RIGHT.has(action) && item && !item.can_judge);
        return this.button(action, this.say(word), key, kind, off);
      }),
    );
  }

  reasonKeys() {
    const buttons = this.page.reasons.map(([, words], at) => this.button(`reason-${at + 1}`, words, String(at + 1)));
    this.keys([el("b", { text: this.say("why_reject") }), ...buttons, this.button("cancel", this.say("cancel"), "Esc", "link")]);
  }

  /**
   * A line to type into: it is there and has the focus when this returns.
   * @param {string} label @param {string} save @param {string} text
   * @param {(text: string) => void} typed
   */
  line(label, save, text, typed) {
    const field = el("input", { type: "text", class: "line", maxlength: 500, "aria-label": label, placeholder: label });
    const input = /** @type {HTMLInputElement} */ (field);
    input.value = text;
    input.addEventListener("input", () => typed(input.value));
    this.keys([field, this.button("done", save, "Enter", "main"), this.button("cancel", this.say("cancel"), "Esc", "link")]);
    input.focus();
  }

  /** A question: the key again, or a press on yes, continues. @param {string} words @param {string} hint @param {string} key */
  question(words, hint, key) {
    const yes = this.button("yes", this.say("yes"), key, "main");
    this.keys([el("b", { text: words }), ...(hint ? [el("span", { text: hint })] : []), yes, this.button("cancel", this.say("cancel"), "Esc", "link")]);
  }

  /** @param {HTMLElement[]} elements */
  keys(elements) {
    this.part(".stage-keys").replaceChildren(...elements);
  }

  twinKeys() {
    this.keys([this.button("cancel", this.say("back"), "Esc")]);
  }

  /** @param {number} n how many samples would be changed */
  sceneKeys(n) {
    this.keys([
      this.button("name-scene", this.say("scene_do", { n }), "Enter", "main", n === 0),
      this.button("cancel", this.say("scene_back"), "Esc"),
    ]);
  }

  editorKeys() {
    this.keys([
      this.button("done", this.say("save"), "Ctrl+Enter", "main"),
      this.button("cancel", this.say("cancel"), "Esc"),
      this.button("suggest", this.say("suggest"), ""),
      this.button("discard", this.say("discard"), "", "link"),
    ]);
  }

  /**
   * Two texts to choose from.
   * @param {string} title
   * @param {{title: string, html: string, action: string, word: string, kind?: string}[]} sides
   */
  choice(title, sides) {
    const columns = sides.map((side) =>
      el(
        "div",
        {},
        el("h3", { text: side.title }),
        el("div", { html: side.html }),
        el("p", {}, this.button(side.action, this.say(side.word), "", side.kind)),
      ),
    );
    this.part(".stage-choice").replaceChildren(
      el("p", { class: "notice warn", text: title }),
      el("div", { class: "columns even" }, ...columns),
    );
    this.keys([this.button("cancel", this.say("cancel"), "Esc", "link")]);
  }

  /** Turns as text, for a choice. @param {import("./drafts.js").Turn[]} turns @returns {string} HTML */
  plainTurns(turns) {
    const names = new Map(this.page.roles);
    const blocks = turns.map((turn) =>
      el(
        "div",
        { class: "diff" },
        el("span", { class: "who", text: turn.name || names.get(turn.role) }),
        el("br"),
        el("span", { text: turn.content }),
      ),
    );
    return el("div", {}, ...blocks).innerHTML;
  }

  /**
   * Say what happened, and read the sample out that follows.
   * @param {string} words @param {string} [spoken]
   */
  tell(words, spoken = "") {
    const heard = spoken ? [el("span", { class: "heard", text: ` ${spoken}` })] : [];
    this.part(".stage-told").replaceChildren(el("span", { class: "words", text: words }), ...heard);
  }

  /**
   * Show a problem where the annotator looks, once for each id.
   * @param {string} words @param {{sample?: string, id?: string, choose?: boolean}} [about]
   */
  alert(words, { sample, id, choose } = {}) {
    const place = this.part(".stage-alerts");
    const name = id ?? words;
    if ([...place.children].some((shown) => shown instanceof HTMLElement && shown.dataset.about === name)) return;
    const made = el("div", { class: "notice bad", "data-about": name }, el("span", { text: words }));
    if (sample) {
      made.append(el("button", { type: "button", "data-action": "open", "data-sample": sample, text: this.say("open_this") }));
    }
    if (choose) made.append(el("button", { type: "button", "data-action": "choose", text: this.say("draft_choose") }));
    made.append(el("button", { type: "button", class: "link", "data-action": "dismiss", text: this.say("dismiss") }));
    place.append(made);
  }

  /** @param {string} id */
  settle(id) {
    for (const shown of this.part(".stage-alerts").querySelectorAll("[data-about]")) {
      if (shown instanceof HTMLElement && shown.dataset.about === id) shown.remove();
    }
  }

  /** What waits to be sent, beside the keys. @param {string} words "" for nothing */
  link(words) {
    const place = this.part(".stage-link");
    place.hidden = !words;
    if (place.textContent !== words) place.textContent = words;
  }

  /** @param {number} share @param {string} words */
  progress(share, words) {
    /** @type {HTMLProgressElement} */ (this.part("progress")).value = share;
    this.part(".stage-progress span").textContent = words;
  }
}
