// The characters of the room, as the server sent them with the page. Their texts only ever become text nodes.

/**
 * @typedef {{
 *   id: string, name: string, portrait: string, languages: string[], greetings: Record<string, string[]>, with: string[],
 * }} Person
 */

const MOST = 8; // in a room

const sent = /** @type {Person[]} */ (JSON.parse(document.body.dataset.people ?? "[]"));
const byId = new Map(sent.map((one) => [one.id, one]));

/** All who may be in a room with anyone. */
export const everyone = () => sent;
/** @param {string | undefined} id */
export const person = (id) => byId.get(id ?? "") ?? null;
/** The name of a character; of one who is no longer here, the id. */
export const nameOf = (id) => person(id)?.name ?? id ?? "?";

/** Whether these may be in one room. */
export const mayMeet = (ids) => ids.length > 1 && ids.every((one) => ids.every((other) => one === other || person(one)?.with.includes(other)));

/** Those of `wanted` who may be together, the first ones first; where fewer than two are left, the first who may. */
export function together(wanted) {
  for (const some of [wanted, ...sent.map(({ id }) => [id, ...sent.map((one) => one.id)])]) {
    const chosen = /** @type {string[]} */ ([]);
    for (const id of some) {
      if (chosen.length < MOST && person(id) && !chosen.includes(id) && chosen.every((one) => person(one)?.with.includes(id))) chosen.push(id);
    }
    if (chosen.length > 1) return chosen;
  }
  return [];
}

/** What a character says first, as {text, language}, or null; `pick` chooses among several. */
export function greeting(id, language, pick = 0) {
  const one = person(id);
  if (!one) return null;
  const code = [language, ...one.languages].find((each) => one.greetings[each]?.length);
  return code ? { text: one.greetings[code][pick % one.greetings[code].length], language: code } : null;
}

/** The portrait of a character; null for one who is no longer here. */
export const portraitOf = (id) => person(id)?.portrait ?? null;
