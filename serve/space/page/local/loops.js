// Finds a reply that has begun to repeat itself, as `listen` of curation/repeats.py does. Pure. A test compares the two.

const WORD = /[\p{L}\p{N}_]+/gu;
const [TIMES, WORDS, CHARACTERS, LONG, DIFFERENT_PAIRS, TWICE] = [3, 9, 40, 24, 0.6, 8];

/** How much of a reply that goes on may be shown, and whether it has become a loop with its last word. */
export function listen(text) {
  const spans = [...text.matchAll(WORD)];
  const last = spans.at(-1);
  if (!last) return { safe: text.length, looping: false };
  const words = spans.map(([word]) => word.toLowerCase());
  const letters = [...text.toLowerCase().replace(/\s+/g, "")];
  const looping = isStuck(words, 0) || atTheEnd(letters, TIMES, CHARACTERS, 1, 0);
  const growing = last.index + last[0].length === text.length && isStuck(words.slice(0, -1), 1);
  return { safe: looping || growing ? last.index : text.length, looping };
}

/** Whether the end of these words is a loop, or would be with the right `missing` ones after them. */
function isStuck(words, missing) {
  if (atTheEnd(words, TIMES, WORDS - missing, 1, missing) || atTheEnd(words, 2, 0, TWICE, missing)) return true;
  const pairs = words.length + missing - 1;
  if (pairs < LONG - 1) return false;
  return new Set(words.slice(1).map((word, at) => `${words[at]} ${word}`)).size < DIFFERENT_PAIRS * pairs;
}

/** Whether a block of `shortest` items or more stands `times` times in a row at the end of `items`. */
function atTheEnd(items, times, least, shortest, missing) {
  for (let period = shortest; period <= Math.floor((items.length + missing) / times); period++) {
    let wanted = Math.max(times * period - missing, least) - period;
    for (let at = items.length - 1; wanted > 0 && at >= period && items[at] === items[at - period]; at--) wanted--;
    if (wanted <= 0) return true;
  }
  return false;
}
