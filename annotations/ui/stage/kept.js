// What the browser keeps for one annotator at one desk: localStorage with names of its own.

export class Kept {
  /**
   * @param {string} desk the store's mark: one browser may show several desks at one address, one after another
   * @param {string} who
   * @param {() => void} onFull called once, when the browser keeps nothing: full or blocked
   */
  constructor(desk, who, onFull) {
    this.prefix = `inosuke:${desk}:${encodeURIComponent(who)}:`;
    this.onFull = onFull;
    this.told = false;
    /** @type {Map<string, string>} what localStorage did not take */
    this.memory = new Map();
  }

  /** @param {string} name @param {unknown} value @returns {boolean} whether the browser keeps it */
  set(name, value) {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(this.prefix + name, text);
      this.memory.delete(name);
      return true;
    } catch {
      // An older text under this name would come back instead of this one.
      this.forget(name);
      this.memory.set(name, text);
      if (!this.told) this.onFull();
      this.told = true;
      return false;
    }
  }

  /** @param {string} name @returns {any} the value, or null */
  get(name) {
    const text = this.memory.get(name) ?? this.stored(name);
    if (text === null) return null;
    try {
      return JSON.parse(text);
    } catch {
      return null; // another program's
    }
  }

  /** @param {string} name */
  remove(name) {
    this.memory.delete(name);
    this.forget(name);
  }

  /** @param {string} start @returns {string[]} the names that begin with this, sorted */
  names(start) {
    const found = new Set([...this.memory.keys()].filter((name) => name.startsWith(start)));
    try {
      for (let at = 0; at < localStorage.length; at += 1) {
        const key = localStorage.key(at);
        if (key?.startsWith(this.prefix + start)) found.add(key.slice(this.prefix.length));
      }
    } catch {
      // Blocked: what this page keeps is in its memory.
    }
    return [...found].sort();
  }

  /** @param {string} name */
  stored(name) {
    try {
      return localStorage.getItem(this.prefix + name);
    } catch {
      return null;
    }
  }

  /** @param {string} name */
  forget(name) {
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // Blocked: there is nothing to remove.
    }
  }
}

/** Return a name for this tab that a reload keeps. */
export function tabId() {
  const made = Math.random().toString(36).slice(2, 10);
  try {
    const known = sessionStorage.getItem("inosuke:tab");
    if (known) return known;
    sessionStorage.setItem("inosuke:tab", made);
  } catch {
    // Blocked: a name for this page alone.
  }
  return made;
}
