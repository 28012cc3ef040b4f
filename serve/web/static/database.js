// IndexedDB with promises. Conversations are there without their turns; each turn is a record of its own, so that saving an
// exchange costs the same in a conversation of any length, and two tabs never overwrite each other's turns.
//
//   conversations  {id, …}                 by id
//   turns          {conversation, id, …}   by [conversation, id]
//   deleted        {id, time}              by id: what was deleted stays deleted in tabs that did not hear of it

import { PLACE } from "./place.js";

const VERSION = 1;

/** @returns {Promise<IDBDatabase>} */
export function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(PLACE, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("conversations", { keyPath: "id" });
      request.result.createObjectStore("turns", { keyPath: ["conversation", "id"] });
      request.result.createObjectStore("deleted", { keyPath: "id" });
    };
    request.onsuccess = () => {
      // A newer page in another tab gets its way; what this one writes from then on is reported as not stored.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * Run `work` with the three stores in one transaction: all of it is written, or nothing.
 * @template T
 * @param {IDBDatabase} database
 * @param {IDBTransactionMode} mode
 * @param {(stores: {conversations: IDBObjectStore, turns: IDBObjectStore, deleted: IDBObjectStore}) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inOne(database, mode, work) {
  const transaction = database.transaction(["conversations", "turns", "deleted"], mode);
  const [conversations, turns, deleted] = ["conversations", "turns", "deleted"].map((name) => transaction.objectStore(name));
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
  });
  ended.catch(() => {}); // it is awaited below, unless `work` fails first
  try {
    const value = await work({ conversations, turns, deleted });
    await ended;
    return value;
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      throw transaction.error ?? error; // it has ended by itself, for the reason that counts: no room is left
    }
    throw error;
  }
}

/** The keys of a conversation's turns. */
export const turnsOf = (id) => IDBKeyRange.bound([id], [id, []]);
