// The model's file, which lies beside the page in parts: fetched once, checked, and kept in the browser's cache storage.

/**
 * @typedef {{file: string, bytes: number, sha256: string}} Part
 * @typedef {{bytes: number, parts: Part[]}} Weights
 */

export const CACHE = "inosuke-weights"; // sw.js deletes from it what no longer belongs to the page

/** Why the weights could not be had: "network", or "damaged". */
export class NotFetched extends Error {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/** The cache, or null where the browser lets the page store nothing. */
async function opened() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null; // forbidden, or not a secure page: the model is fetched at each visit
  }
}

/**
 * Whether nothing is left to fetch.
 * @param {Weights} weights
 */
export async function areKept({ parts }) {
  const cache = await opened();
  if (!cache) return false;
  const found = await Promise.all(parts.map(({ file }) => cache.match(file)));
  return found.every(Boolean);
}

/**
 * The whole file, and whether the browser keeps it. `fetched(bytes)` is called as they come.
 * @param {Weights} weights
 * @param {(bytes: number) => void} fetched
 */
export async function load({ parts }, fetched) {
  const cache = await opened();
  const blobs = [];
  let before = 0;
  let kept = cache !== null;
  for (const part of parts) {
    let blob = await stored(cache, part);
    if (!blob) {
      const at = before;
      blob = await get(part, (bytes) => fetched(at + bytes));
      kept = (await keep(cache, part, blob)) && kept;
      blob = (await stored(cache, part)) ?? blob; // the stored one lies on the disk, the other in memory
    }
    blobs.push(blob);
    fetched((before += part.bytes));
  }
  return { blob: new Blob(blobs), kept };
}

/** @param {Cache | null} cache @param {Part} part */
async function stored(cache, { file, bytes }) {
  const blob = await (await cache?.match(file))?.blob();
  return blob?.size === bytes ? blob : null;
}

/** @param {Cache | null} cache @param {Part} part @param {Blob} blob */
async function keep(cache, { file }, blob) {
  try {
    await cache?.put(file, new Response(blob));
    return true;
  } catch {
    return false; // no room: the loading bar tells it
  }
}

/** @param {Part} part @param {(bytes: number) => void} fetched */
async function get({ file, bytes, sha256 }, fetched) {
  const chunks = [];
  let length = 0;
  try {
    const response = await fetch(file, { cache: "no-store" }); // it is kept here, once is enough
    if (!response.ok || !response.body) throw new Error(`${response.status} ${response.statusText}`);
    const reader = response.body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      fetched((length += next.value.length));
    }
  } catch (error) {
    throw new NotFetched("network", `${file}: ${error}`);
  }
  const blob = new Blob(chunks);
  const seen = await digest(blob);
  if (length !== bytes || (seen !== null && seen !== sha256)) {
    throw new NotFetched("damaged", `${file}: ${length} bytes came, and they are not the expected ones`);
  }
  return blob;
}

/**
 * Its SHA-256, or null where the browser does not tell: on a page that is not secure, which a Space always is.
 * @param {Blob} blob
 */
async function digest(blob) {
  if (!globalThis.crypto?.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
