// The language of a conversation, by what the user says, as curation/chat/language.py tells it: it chooses the system
// prompt. The lists of words come from there, in space.json. A test holds the two equal.

/**
 * @typedef {{role: "system" | "user" | "assistant", content: string, facts?: string}} Message `facts`: told before it
 * @typedef {{
 *   languages: string[], names: string[], clear: number, words: Record<string, string[]>, hints: Record<string, string[]>,
 *   anywhere: string[], syllable: string, scripts: Record<string, {languages: string[], ranges: [number, number][]}>,
 * }} Tables
 */

// What Python calls a letter or a number that is not a digit.
const WORD = /[\p{L}\p{Nl}\p{No}]+(?:['’][\p{L}\p{Nl}\p{No}]+)*/gu;
const VIETNAMESE = /[ăđơư\u1ea0-\u1ef9]/u;
const KANA = ["HIRAGANA", "KATAKANA"];

export const base = (code) => code.toLowerCase().split("-")[0];
const isAscii = (text) => [...text].every((letter) => letter < "\u0080");
const isLower = (word) => word === word.toLowerCase() && word !== word.toUpperCase();
const withoutMarks = (word) => word.replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");

export class Language {
  /** @param {Tables} tables */
  constructor(tables) {
    this.tables = tables;
    const sets = (lists) => Object.fromEntries(Object.entries(lists).map(([code, words]) => [code, new Set(words)]));
    this.words = sets(tables.words);
    this.hints = sets(tables.hints);
    this.anywhere = new Set(tables.anywhere);
    this.syllable = new RegExp(`^(?:${tables.syllable})$`, "u");
    this.known = new Map();
  }

  /**
   * The language of a conversation: that of the last turn of the user that shows one, or else hints at one.
   * @param {Message[]} messages
   */
  of(messages) {
    const { languages, clear } = this.tables;
    let decided = /** @type {string | null} */ (null);
    let hinted = /** @type {string | null} */ (null);
    for (const { role, content } of messages) {
      if (role !== "user" || languages.length < 2) continue;
      const { code, evidence } = this.shown(content);
      if (code && evidence >= clear) decided = code;
      hinted = code ?? hinted;
    }
    return decided ?? hinted ?? languages[0];
  }

  /** @returns {{code: string | null, evidence: number}} */
  shown(text) {
    let found = this.known.get(text);
    if (!found) {
      if (this.known.size > 4096) this.known.clear();
      this.known.set(text, (found = this.judge(text)));
    }
    return found;
  }

  judge(given) {
    let text = given.normalize("NFC");
    for (const name of this.tables.names) text = text.replaceAll(name, " ");
    const codes = new Map([...this.tables.languages].reverse().map((code) => [base(code), code]));
    const scores = new Map([...codes.keys()].map((code) => [code, 0]));
    const add = (code, evidence) => scores.set(code, (scores.get(code) ?? 0) + evidence);
    const counts = this.scripts(text);
    for (const [script, count] of counts) {
      const spoken = this.tables.scripts[script].languages.find((code) => codes.has(code));
      if (spoken) add(spoken, count / 2);
    }
    if (KANA.some((script) => counts.has(script)) && scores.has("ja") && scores.has("zh")) {
      add("ja", scores.get("zh"));
      scores.set("zh", 0);
    }
    const other = new Set(Object.values(this.tables.scripts).flatMap(({ languages }) => languages));
    for (const [code, evidence] of this.latin(text, [...codes.keys()].filter((code) => !other.has(code)))) add(code, evidence);
    const [[best, evidence], ...others] = [...scores].sort((a, b) => b[1] - a[1]);
    if (evidence <= Math.max(0, ...others.map(([, score]) => score))) return { code: null, evidence: 0 };
    return { code: /** @type {string} */ (codes.get(best)), evidence };
  }

  scripts(text) {
    const counts = new Map();
    for (const letter of text) {
      const point = /** @type {number} */ (letter.codePointAt(0));
      if (point <= 0x36f) continue;
      for (const [script, { ranges }] of Object.entries(this.tables.scripts)) {
        if (ranges.some(([from, to]) => from <= point && point <= to)) counts.set(script, (counts.get(script) ?? 0) + 1);
      }
    }
    return counts;
  }

  latin(text, languages) {
    const scores = new Map(languages.map((code) => [code, 0]));
    const add = (code, evidence) => scores.set(code, scores.get(code) + evidence);
    const others = languages.filter((code) => code !== "vi");
    for (const [word] of text.matchAll(WORD)) {
      const small = word.toLowerCase().replaceAll("’", "'");
      const plain = withoutMarks(small);
      if (!isAscii(plain)) continue;
      if (scores.has("vi") && small !== plain && this.syllable.test(plain)) {
        add("vi", VIETNAMESE.test(small) ? 2 : 1);
        continue;
      }
      const known = languages.filter((code) => this.words[code]?.has(small) || (code === "vi" && this.words.vi.has(plain)));
      for (const code of known) add(code, known.length === 1 ? 1 : 0.5);
      if (known.length || small.length < 2 || this.anywhere.has(small)) continue;
      const hinted = languages.find((code) => this.hints[code]?.has(small));
      if (hinted) add(hinted, 0.5);
      else if (scores.has("vi") && isLower(word)) {
        if (this.syllable.test(small)) add("vi", 0.5);
        else if (others.length === 1 && isAscii(small)) add(others[0], 0.5);
      }
    }
    return scores;
  }
}
