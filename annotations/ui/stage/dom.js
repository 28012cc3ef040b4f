// Small helpers for the page's elements. Texts go in as text, never as HTML; `html` takes only what the server made.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; `text`, `html` and `on` (listeners by name) are special
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name === "html") made.innerHTML = value;
    else if (name === "on") for (const [kind, listener] of Object.entries(value)) made.addEventListener(kind, listener);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the stage has no ${selector}`);
  return found;
}

/**
 * Fill in the blanks of a page's words: `{n}` becomes values.n.
 * @param {string} words
 * @param {Record<string, string | number>} [values]
 */
export function fill(words, values = {}) {
  return words.replace(/\{(\w+)\}/g, (blank, name) => (name in values ? String(values[name]) : blank));
}

/**
 * Show the times that the server gives (UTC) in the browser's own zone.
 * @param {ParentNode} place @param {string} language
 */
export function localTimes(place, language) {
  for (const shown of place.querySelectorAll("time[datetime]")) {
    const time = new Date(shown.getAttribute("datetime") ?? "");
    if (Number.isNaN(time.getTime())) continue; // a merged log may hold anything
    shown.textContent = time.toLocaleString(language, { dateStyle: "short", timeStyle: "short" });
  }
}

/** Return 32 random hexadecimal digits. `crypto.randomUUID` would need HTTPS. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
