// Conversations → token ids, as curation/chat/ renders and fits them. The text around the turns comes from the run's
// chat template as ids, in space.json; what is said is read as text, in which a control token is text too. A test
// compares the ids with the server's.

import { Tokenizer } from "../vendor/tokenizers.js";
import { Language, base } from "./language.js";
import { bytes, oneLine, strip } from "./texts.js";

/**
 * @import { Message, Tables } from "./language.js"
 * @typedef {(number | number[])[]} Form the ids between turns, and at each turn's place its number in the exchange
 * @typedef {{
 *   prompt: "chat" | "alpaca", system: Record<string, string>, headings: Record<string, [string, string]>,
 *   opening: Record<string, Form>, following: Record<string, Form>, closing: number[],
 *   bytes_per_token: number, blocks: number, language: Tables,
 * }} Layout
 * @typedef {{messages: Message[], ids: number[], opening: number, dropped: number}} Fitted
 */

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
/**
 * What the model reads for a turn: the facts that it is told come first, with an empty line after them.
 * @param {Message} turn
 */
const spoken = ({ content, facts }) => (facts ? `${facts}\n\n${strip(content)}` : strip(content));
const shorthand = (roles) => roles.map((role) => role[0]).join("");
const length = (form) => sum(form.map((part) => (typeof part === "number" ? 0 : part.length)));

/** The places of the replies, and the number of turns where the last one is not a reply. */
function exchangeEnds(turns) {
  const ends = turns.flatMap(({ role }, at) => (role === "assistant" ? [at] : []));
  return ends.at(-1) === turns.length - 1 ? ends : [...ends, turns.length];
}

/** Turns in an order that the run's chat template refuses. */
export class Refused extends Error {}

export class Prompts {
  /**
   * @param {Layout} layout
   * @param {object} tokenizer a tokenizer.json without control tokens
   */
  constructor(layout, tokenizer) {
    this.layout = layout;
    this.language = new Language(layout.language);
    this.tokenizer = new Tokenizer(tokenizer, {});
    /** @type {Map<string, number[]>} */
    this.known = new Map();
  }

  ids(text) {
    let ids = this.known.get(text);
    if (!ids) {
      if (this.known.size > 20_000) this.known.clear();
      this.known.set(text, (ids = text ? this.tokenizer.encode(text, { add_special_tokens: false }).ids : []));
    }
    return ids;
  }

  form(kind, roles) {
    const form = this.layout[kind][shorthand(roles)];
    if (!form) throw new Refused(`a dialogue of ${roles.join(", ")}`);
    return form;
  }

  /** A dialogue whose system prompt ends with what is remembered: pinned facts, a line each, then `memory`. */
  withMemory(turns, memory = "", pinned = /** @type {string[]} */ ([])) {
    const facts = pinned.map(oneLine).filter(Boolean);
    const before = strip(memory);
    if ((!facts.length && !before) || this.layout.prompt !== "chat") return turns;
    const language = this.language.of(turns);
    const { headings } = this.layout;
    const [about, earlier] = headings[base(language)] ?? headings.en;
    const parts = [strip(this.layout.system[language])];
    if (facts.length) parts.push([about, ...facts.map((fact) => `- ${fact}`)].join("\n"));
    if (before) parts.push(`${earlier}\n${before}`);
    return [{ role: "system", content: parts.join("\n\n") }, ...turns];
  }

  /**
   * A dialogue whose newest turn of the visitor comes with the facts that fire on it, and these facts. They have at most
   * `most` tokens.
   * @param {Message[]} messages
   * @param {import("./lorebook.js").Lorebook} lorebook
   */
  withFacts(messages, lorebook, most) {
    const at = messages.findLastIndex(({ role }) => role === "user");
    const heard = messages.slice(0, at + 1).filter(({ role }) => role !== "system");
    const facts = at < 0 ? [] : lorebook.facts(heard, (text) => this.ids(text).length, most);
    if (!facts.length) return { messages, facts };
    const { headings } = lorebook.book;
    const heading = headings[base(this.language.of(heard))] ?? headings.en;
    const told = { ...messages[at], facts: [heading, ...facts.map(({ text }) => text)].join("\n") };
    return { messages: messages.with(at, told), facts };
  }

  /**
   * The same where the prompt may have `limit` tokens: facts must not make a message too long that fits without them.
   * @param {Message[]} messages
   * @param {import("./lorebook.js").Lorebook | null} lorebook
   */
  told(messages, lorebook, limit) {
    if (!lorebook) return { messages, facts: [] };
    for (let most = Math.floor(limit * lorebook.book.share); ;) {
      const found = this.withFacts(messages, lorebook, most);
      if (!found.facts.length || !this.isTooLong(found.messages, limit)) return found;
      most = Math.floor(sum(found.facts.map(({ text }) => this.ids(text).length)) / 2);
    }
  }

  /** Whether not even the last exchange fits. */
  isTooLong(messages, limit) {
    const turns = messages.filter(({ role }) => role !== "system");
    const begin = turns.slice(0, -1).findLastIndex(({ role }) => role === "assistant") + 1;
    return this.count([...messages.filter(({ role }) => role === "system"), ...turns.slice(begin)], limit) > limit;
  }

  /** @param {Message[]} messages */
  withSystem(messages) {
    if (this.layout.prompt !== "chat" || messages[0]?.role === "system") return messages;
    return [/** @type {Message} */ ({ role: "system", content: this.layout.system[this.language.of(messages)] }), ...messages];
  }

  /** The ids of a dialogue: to be answered, to be continued where it ends with a reply. */
  render(messages) {
    const turns = this.withSystem(messages);
    /** @type {number[]} */
    const all = [];
    let begin = 0;
    for (const end of exchangeEnds(turns)) {
      const roles = turns.slice(begin, end).map(({ role }) => role);
      for (const part of this.form(begin ? "following" : "opening", roles)) {
        all.push(...(typeof part === "number" ? this.ids(spoken(turns[begin + part])) : part));
      }
      if (end === turns.length) break;
      all.push(...this.ids(spoken(turns[end])));
      begin = end + 1;
    }
    return all;
  }

  /**
   * Drop whole exchanges, by blocks, until a dialogue has at most `limit` tokens; null if even the last one is too long.
   * @param {Message[]} messages
   * @returns {Fitted | null}
   */
  fit(messages, limit) {
    const sizes = new Sizes(messages, this);
    if (!sizes.turns.length) return null;
    const tails = sizes.tails(limit);
    const opening = sizes.opening(Math.floor(limit / 8));
    const marks = sizes.marks(opening, limit / this.layout.blocks);
    const last = sizes.begins.length - 1;
    const tried = new Set([0, ...marks]);
    for (let first = Math.max(0, ...marks); first <= last; first++) tried.add(first);
    for (const kept of new Set([opening, 0])) {
      for (const first of tried) {
        if (!tails.has(first) || !sizes.canBegin(first) || (sizes.whole(kept, first, tails)) > limit) continue;
        const stays = first > kept ? sizes.begins[kept] : 0;
        const begin = first > kept ? sizes.begins[first] : 0;
        const left = [...sizes.system, ...sizes.turns.slice(0, stays), ...sizes.turns.slice(begin)];
        return { messages: left, ids: this.render(left), opening: stays, dropped: Math.max(0, begin - stays) };
      }
    }
    return null;
  }

  /** How many tokens a dialogue has: exactly up to `most`, beyond by the length of its texts. */
  count(messages, most) {
    const sizes = new Sizes(messages, this);
    if (!sizes.turns.length) return 0;
    const tails = sizes.tails(most);
    if (tails.has(0)) return sizes.whole(0, 0, tails);
    const first = tails.size ? Math.min(...tails.keys()) : sizes.begins.length - 1;
    return (tails.get(first) ?? most) + Math.round(sum(sizes.estimates().slice(0, first)));
  }
}

/** How many tokens each exchange of a dialogue takes. A turn is counted when it is first needed. */
class Sizes {
  /** @param {Message[]} messages @param {Prompts} prompts */
  constructor(messages, prompts) {
    this.prompts = prompts;
    this.system = messages.filter(({ role }) => role === "system");
    this.turns = messages.filter(({ role }) => role !== "system");
    this.ends = exchangeEnds(this.turns);
    this.begins = [0, ...this.ends.map((end) => end + 1)].slice(0, this.ends.length);
  }

  roles = (exchange) => this.turns.slice(this.begins[exchange], this.ends[exchange]).map(({ role }) => role);
  canBegin = (exchange) => !exchange || this.roles(exchange)[0] === "user";
  following = (exchange) => length(this.prompts.form("following", this.roles(exchange)));

  /** The tokens from each exchange to the end: the texts alone of the first one, and all else after it. */
  tails(limit) {
    /** @type {Map<number, number>} */
    const found = new Map();
    let after = this.turns.at(-1)?.role === "user" ? 0 : this.prompts.layout.closing.length;
    for (let exchange = this.begins.length - 1; exchange >= 0; exchange--) {
      const said = this.said(this.turns.slice(this.begins[exchange], this.ends[exchange] + 1));
      if (after + said > limit) break;
      found.set(exchange, after + said);
      after += said + this.following(exchange);
    }
    return found;
  }

  /** How many exchanges lead to the first reply to the user, or 0 where they take more than `most`. */
  opening(most) {
    let heard = 0;
    for (let n = 0; n < this.begins.length - 1 && !heard; n++) if (this.roles(n).includes("user")) heard = n + 1;
    let tokens = 0;
    for (const turn of this.turns.slice(0, this.begins[heard])) tokens += this.said([turn]);
    return tokens <= most ? heard : 0;
  }

  /** The exchanges at which a block of about `block` tokens ends, counted after the opening ones. */
  marks(opening, block) {
    /** @type {number[]} */
    const marks = [];
    let passed = 0;
    for (const [exchange, tokens] of this.estimates().entries()) {
      if (exchange > opening && passed >= block * (marks.length + 1) && this.canBegin(exchange)) {
        for (let missing = Math.floor(passed / block) - marks.length; missing > 0; missing--) marks.push(exchange);
      }
      if (exchange >= opening) passed += tokens;
    }
    return [...new Set(marks)];
  }

  /** About how many tokens each exchange has, by the bytes of its texts. */
  estimates() {
    const lengths = this.turns.map(({ content }) => bytes(content) / this.prompts.layout.bytes_per_token + 4);
    return this.begins.map((begin, n) => sum(lengths.slice(begin, this.ends[n] + 1)));
  }

  /** The tokens of the prompt with the opening exchanges and those from `first`, one of `tails`. */
  whole(opening, first, tails) {
    if (first <= opening) opening = first = 0;
    const { prompts } = this;
    const kept = [...this.turns.slice(0, this.begins[opening]), ...this.turns.slice(this.begins[first])];
    const system = this.system.length ? this.system : prompts.withSystem(kept).slice(0, -kept.length);
    const form = prompts.form("opening", [...system.map(({ role }) => role), ...this.roles(opening ? 0 : first)]);
    let tokens = length(form) + tails.get(first) + (this.said(system));
    if (!opening) return tokens;
    tokens += this.said(this.turns.slice(0, this.begins[opening]));
    for (let n = 1; n < opening; n++) tokens += this.following(n);
    return tokens + this.following(first);
  }

  said(turns) {
    let tokens = 0;
    for (const turn of turns) tokens += this.prompts.ids(spoken(turn)).length;
    return tokens;
  }
}
