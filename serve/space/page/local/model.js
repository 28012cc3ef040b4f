// The model in the browser: llama.cpp as WebAssembly (wllama) in a worker, with one thread. Token ids in, events out.

import { Wllama } from "../vendor/wllama.js";
import { draw } from "./draw.js";
import { listen } from "./loops.js";

const CANDIDATES = 256; // of a token: what lies below the 256 likeliest is never drawn
const READ_AT_ONCE = 32; // tokens; between two such pieces a reading can be stopped
const BREAK_OFF = "…"; // ends a reply that repeats itself
const silent = () => {};

/** What a browser lacks to run the model: "memory64" or "simd", or null where it lacks nothing. */
export function missing() {
  try {
    new WebAssembly.Memory(/** @type {any} */ ({ address: "i64", initial: 1n }));
  } catch {
    return "memory64";
  }
  // A function that returns i8x16.popcnt of a splat, as in wasm-feature-detect.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  return WebAssembly.validate(new Uint8Array(simd)) ? null : "simd";
}

export class Model {
  /** @param {Wllama} wllama @param {number[]} ends the control tokens: each ends a reply @param {number} context */
  constructor(wllama, ends, context) {
    this.wllama = wllama;
    this.ends = new Set(ends);
    this.context = context;
    /** @type {number[]} What the cache of the model holds. */
    this.cached = [];
    this.pieces = new Map();
    this.turn = Promise.resolve();
  }

  /** @param {Blob} blob the GGUF file */
  static async load(blob, { ends, context }) {
    const paths = { "single-thread/wllama.wasm": new URL("../vendor/wllama.wasm", import.meta.url).href };
    const logger = { debug: silent, log: silent, warn: silent, error: silent }; // what fails is thrown too
    const wllama = new Wllama(paths, { suppressNativeLog: true, logger });
    try {
      await wllama.loadModel([blob], { n_threads: 1, n_ctx: context, n_batch: READ_AT_ONCE });
    } catch (error) {
      await wllama.exit(); // the worker holds the memory
      throw error;
    }
    return new Model(wllama, ends, context);
  }

  /** Run `work` when all work before it is done: the model has one cache. */
  async alone(work) {
    const before = this.turn;
    let done = () => {};
    this.turn = new Promise((resolve) => (done = () => resolve(undefined)));
    await before;
    try {
      return await work();
    } finally {
      done();
    }
  }

  /**
   * Read a prompt into the cache. What the cache has of its beginning is not read again.
   * @param {number[]} ids
   * @param {(done: number, total: number) => void} reading
   * @param {AbortSignal} [signal]
   */
  async take(ids, reading = silent, signal) {
    let same = 0;
    while (same < this.cached.length && same < ids.length - 1 && this.cached[same] === ids[same]) same++;
    if (same < this.cached.length) {
      if (same) await this.wllama.kvRemove(same, -1);
      else await this.wllama.kvClear();
      this.cached.length = same;
    }
    for (let at = same; at < ids.length; at += READ_AT_ONCE) {
      signal?.throwIfAborted();
      if (ids.length - same > READ_AT_ONCE) reading(at, ids.length);
      const piece = ids.slice(at, at + READ_AT_ONCE);
      await this.wllama.decode(piece, { skipLogits: at + piece.length < ids.length });
      this.cached.push(...piece);
    }
  }

  /**
   * Answer a prompt. `said(text)` is called as the reply grows; a reply that has begun to repeat itself ends there.
   * Returns how it ended, and how many tokens it has.
   * @param {number[]} ids
   * @param {Record<string, number>} settings
   * @param {{
   *   said: (text: string) => void, reading: (done: number, total: number) => void, signal: AbortSignal, loops: boolean,
   * }} to `loops`: whether loops are listened for
   */
  async answer(ids, settings, { said, reading, signal, loops }) {
    await this.take(ids, reading, signal);
    const limit = Math.min(settings.max_new_tokens, this.context - ids.length);
    const decoder = new TextDecoder();
    /** @type {number[]} */
    const reply = [];
    let text = "";
    let shown = 0;
    const show = (safe) => {
      if (safe > shown) said(text.slice(shown, safe));
      shown = Math.max(shown, safe);
    };
    while (reply.length < limit) {
      signal.throwIfAborted();
      const token = draw(await this.wllama.getLogits(CANDIDATES), ids, reply, settings);
      if (this.ends.has(token) || this.wllama.isTokenEOG(token)) {
        show(text.length);
        return { finish_reason: "stop", tokens: reply.length + 1 };
      }
      text += decoder.decode(await this.piece(token), { stream: true });
      reply.push(token);
      const { safe, looping } = loops ? listen(text) : { safe: text.length, looping: false };
      show(safe);
      if (looping) {
        said(BREAK_OFF);
        return { finish_reason: "stop", tokens: reply.length };
      }
      if (reply.length === limit) break;
      await this.wllama.decode([token], {});
      this.cached.push(token);
    }
    show(text.length);
    return { finish_reason: "length", tokens: reply.length };
  }

  async piece(token) {
    if (!this.pieces.has(token)) this.pieces.set(token, await this.wllama.detokenize([token]));
    return this.pieces.get(token);
  }
}
