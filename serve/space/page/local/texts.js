// Texts as Python reads them, which this page has to do alike: white space, code points, and the hash that draws by lot.

// What Python calls white space: a byte order mark is none, the separators U+001C to U+001F are.
const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SOLID = new RegExp(`[^${WHITE}]`);
const RUNS = new RegExp(`[${WHITE}]+`, "g");

export function strip(text) {
  const begin = text.search(SOLID);
  let end = text.length;
  while (begin >= 0 && !SOLID.test(text[end - 1])) end--;
  return begin < 0 ? "" : text.slice(begin, end);
}

/** A text in which any white space is one space. */
export const oneLine = (text) => strip(text).replace(RUNS, " ");
export const bytes = (text) => new TextEncoder().encode(text).length;

/** How many code points a text has, to a place in it or in all. */
export function points(text, end = text.length) {
  let count = 0;
  for (let at = 0; at < end; count++) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return count;
}

// BLAKE2b (RFC 7693).
const WORD = (1n << 64n) - 1n;
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const ROUNDS = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d", "2c6a0b834d75fe19",
  "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0", "0123456789abcdef", "ea489fd61c02b753",
].map((round) => [...round].map((digit) => parseInt(digit, 16)));
const MIXED = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
const BLOCK = 128;
const turned = (word, by) => ((word >> BigInt(by)) | (word << BigInt(64 - by))) & WORD;

/**
 * A text's BLAKE2b hash of eight bytes, read as a number whose first byte is the highest.
 * @param {string} text
 */
export function hash(text) {
  const said = new TextEncoder().encode(text);
  const blocks = Math.max(1, Math.ceil(said.length / BLOCK));
  const padded = new DataView(new ArrayBuffer(blocks * BLOCK));
  new Uint8Array(padded.buffer).set(said);
  const state = [IV[0] ^ 0x01010008n, ...IV.slice(1)];
  for (let block = 0; block < blocks; block++) {
    const words = Array.from({ length: 16 }, (_, n) => padded.getBigUint64(block * BLOCK + 8 * n, true));
    const is_last = block === blocks - 1;
    const v = [...state, ...IV];
    v[12] ^= BigInt(is_last ? said.length : (block + 1) * BLOCK);
    if (is_last) v[14] ^= WORD;
    for (const round of ROUNDS) {
      for (const [n, [a, b, c, d]] of MIXED.entries()) {
        v[a] = (v[a] + v[b] + words[round[2 * n]]) & WORD;
        v[d] = turned(v[d] ^ v[a], 32);
        v[c] = (v[c] + v[d]) & WORD;
        v[b] = turned(v[b] ^ v[c], 24);
        v[a] = (v[a] + v[b] + words[round[2 * n + 1]]) & WORD;
        v[d] = turned(v[d] ^ v[a], 16);
        v[c] = (v[c] + v[d]) & WORD;
        v[b] = turned(v[b] ^ v[c], 63);
      }
    }
    for (let n = 0; n < 8; n++) state[n] ^= v[n] ^ v[n + 8];
  }
  const found = new DataView(new ArrayBuffer(8));
  found.setBigUint64(0, state[0], true);
  return found.getBigUint64(0);
}
