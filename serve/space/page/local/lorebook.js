// Which facts of the run's lorebook fire in a conversation, and what they say, as curation/lorebook tells it. The keys
// come from there, ready to be compared (serve/space/lorebook_pieces.py); patterns are not among them: JavaScript reads
// them otherwise and cannot stop a slow one. A test holds the two equal.

import { filled, scanned } from "./macros.js";
import { oneLine, points } from "./texts.js";

/**
 * @import { Message } from "./language.js"
 * @typedef {{
 *   number: number, name: string, content: string, keys: string[], secondary: string[], also: string[],
 *   excluded: string[], logic: "any" | "all" | "not_any" | "not_all", cased: boolean, whole: boolean, order: number,
 *   weight: number, depth: number | null, only_messages: boolean, fires_others: boolean, after: number, every: number,
 *   keeps: boolean, once: boolean, always: boolean, fires: boolean, constant: boolean, stands: boolean,
 * }} Entry `always`: told to by a decorator; `fires`: without a key; `stands`: in the system prompt
 * @typedef {{
 *   entries: Entry[], depth: number, budget: number, recursive: boolean, rounds: number, most_scanned: number,
 *   share: number, character: string, user: string, headings: Record<string, string>, show: boolean,
 *   folded: Record<string, string>,
 * }} Book
 */

// Zero-width and invisible: they divide a word for a computer alone.
const INVISIBLE = /[\xad\u180e\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]/g;
// Written without spaces between words: a whole word cannot be told there.
const NO_SPACES = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
const LETTER = /[\p{L}\p{N}]/u;
const BETWEEN = "\0";

const joins = (left, right) => [left, right].every((letter) => letter && LETTER.test(letter) && !NO_SPACES.test(letter));

function holds(text, key, whole) {
  if (!whole) return text.includes(key);
  const letters = [...key];
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1);
    const [after] = text.slice(at + key.length, at + key.length + 2);
    if (!joins(before, letters[0]) && !joins(letters.at(-1), after)) return true;
  }
  return false;
}

/** Whether an entry's conditions on the number of replies hold. @param {Entry} entry */
const counts = (entry, replies) => entry.always || (replies >= entry.after && replies % entry.every === 0);
const repliesIn = (turns) => turns.filter(({ role }) => role === "assistant").length;

/** The texts that keys are looked for in: the newest messages and, in later rounds, what fired before. */
class Scan {
  /** @param {Lorebook} lorebook @param {Message[]} turns */
  constructor(lorebook, turns) {
    this.lorebook = lorebook;
    this.turns = turns;
    /** @type {string[]} */
    this.more = [];
    this.texts = new Map();
  }

  add(contents) {
    this.texts.clear();
    let room = this.lorebook.book.most_scanned - this.more.reduce((all, text) => all + points(text), 0);
    for (const content of contents) {
      room -= points(content);
      if (room < 0) break;
      this.more.push(scanned(content));
    }
  }

  /** @param {Entry} entry */
  text({ depth, cased }) {
    const turns = depth ?? this.lorebook.book.depth;
    const name = `${turns} ${cased}`;
    if (!this.texts.has(name)) {
      const said = this.turns.slice(Math.max(0, this.turns.length - turns)).map(({ content }) => content);
      this.texts.set(name, [...said, ...this.more].map((part) => this.lorebook.plain(part, !cased)).join(BETWEEN));
    }
    return this.texts.get(name);
  }
}

export class Lorebook {
  /** @param {Book} book */
  constructor(book) {
    this.book = book;
    this.known = new Map();
    this.remembering = book.entries.filter(({ keeps, once }) => keeps || once);
  }

  /** A text as keys are compared with it. */
  plain(text, fold) {
    const name = `${fold} ${text}`;
    let found = this.known.get(name);
    if (found === undefined) {
      if (this.known.size > 4096) this.known.clear();
      found = text.replace(INVISIBLE, "").normalize("NFC");
      // Folding takes some letters apart (İ): compose them again.
      if (fold) found = [...found].map((letter) => this.book.folded[letter] ?? letter).join("").normalize("NFC");
      this.known.set(name, (found = oneLine(found.replaceAll(BETWEEN, " "))));
    }
    return found;
  }

  /**
   * The entries of a list whose keys and secondary keys are found.
   * @param {Entry[]} entries
   * @param {Scan} scan
   * @param {boolean} recursive
   */
  hits(entries, scan, recursive) {
    return entries.filter((entry) => {
      if (recursive && entry.only_messages) return false;
      const text = scan.text(entry);
      return (entry.fires || entry.keys.some((key) => holds(text, key, entry.whole))) && this.agrees(entry, text);
    });
  }

  /** Whether the keys beside an entry's own ones let it fire. @param {Entry} entry @param {string} text */
  agrees(entry, text) {
    if (entry.always) return true;
    const has = (keys) => keys.map((key) => Boolean(key) && holds(text, key, entry.whole));
    if (entry.secondary.length && !entry.constant) {
      const seen = has(entry.secondary);
      const [any, all] = [seen.includes(true), !seen.includes(false)];
      if (!{ any, all, not_any: !any, not_all: !all }[entry.logic]) return false;
    }
    return (!entry.also.length || has(entry.also).includes(true)) && !has(entry.excluded).includes(true);
  }

  /** Which of the entries that remember fired at an earlier message of the visitor. @param {Message[]} turns */
  before(turns) {
    /** @type {Set<Entry>} */
    const found = new Set();
    for (const [at, { role }] of turns.slice(0, -1).entries()) {
      if (role !== "user" || !this.remembering.length) continue;
      const heard = turns.slice(0, at + 1);
      for (const entry of this.hits(this.remembering, new Scan(this, heard), false)) {
        if (counts(entry, repliesIn(heard))) found.add(entry);
      }
    }
    return found;
  }

  /** The entries that fire on turns, the lowest order first. @param {Message[]} turns */
  fired(turns) {
    const { entries, recursive, rounds } = this.book;
    const scan = new Scan(this, turns);
    const replies = repliesIn(turns);
    const before = this.before(turns);
    /** @type {Set<Entry>} */
    const found = new Set();
    /** @type {Entry[]} */
    let fresh = [];
    for (let round = 0; round < (recursive ? rounds + 1 : 1); round++) {
      if (round) {
        const standing = round === 1 ? entries.filter(({ stands }) => stands) : [];
        scan.add([...standing, ...fresh].filter((entry) => entry.fires_others).map(({ content }) => content));
      }
      const hits = new Set(this.hits(entries, scan, round > 0).filter((entry) => !found.has(entry)));
      if (!round) for (const entry of before) if (entry.keeps) hits.add(entry);
      fresh = entries.filter((entry) => hits.has(entry) && !entry.stands && may(entry, replies, before.has(entry)));
      for (const entry of fresh) found.add(entry);
      if (round && !fresh.length) break;
    }
    return [...found].sort((a, b) => a.order - b.order || a.number - b.number);
  }

  /**
   * What the entries that fire on turns say, in the order in which they are told.
   * @param {Message[]} turns
   * @param {(text: string) => number} count
   * @param {number} most
   * @returns {{name: string, text: string}[]}
   */
  facts(turns, count, most) {
    const { character, user, budget } = this.book;
    const seed = `${turns.length}\0${turns.at(-1)?.content ?? ""}`;
    const texts = this.fired(turns).map((entry) => ({ entry, text: filled(entry.content, character, user, seed) }));
    const sized = texts.filter(({ text }) => text).map((told) => ({ ...told, size: count(told.text) }));
    return within(sized, Math.min(budget, most)).map(({ entry, text }) => ({ name: entry.name, text }));
  }
}

/** @param {Entry} entry */
const may = (entry, replies, before) => (before && entry.keeps && !entry.once) || (counts(entry, replies) && !(entry.once && before));

/**
 * What a budget has room for. A fact that is too long by itself goes first, then those of the lowest priority.
 * @template {{entry: Entry, size: number}} T
 * @param {T[]} sized
 * @param {number} budget
 * @returns {T[]}
 */
function within(sized, budget) {
  const kept = sized.filter(({ size }) => size <= budget);
  let total = kept.reduce((all, { size }) => all + size, 0);
  const out = new Set();
  for (const told of kept.toSorted((a, b) => a.entry.weight - b.entry.weight || b.entry.number - a.entry.number)) {
    if (total <= budget) break;
    out.add(told);
    total -= told.size;
  }
  return kept.filter((told) => !out.has(told));
}
