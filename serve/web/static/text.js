// What happens to a person's text: cleaning it, naming a conversation after it, comparing it without its tone marks.

/** Text without what the server would refuse: control characters, and half of a surrogate pair. Spaces stay. */
export const sendable = (text) =>
  // eslint-disable-next-line no-control-regex
  text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "").toWellFormed();

/** Control characters come along when people paste from other programs. */
export const clean = (text) => sendable(text).trim();

/** The first line, cut where it would not fit into the list. */
export function titleOf(text) {
  const letters = [...text.trim().split("\n", 1)[0]];
  return letters.length > 40 ? `${letters.slice(0, 39).join("")}…` : letters.join("");
}

/** Small letters without marks, so that “chao” finds “Chào” and “dau” finds “đấu”. */
export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d");

/** Where `query` stands in `text`, as {start, end} of the unfolded text (NFC), or null. */
export function find(text, query) {
  const wanted = fold(query);
  // Letter by letter takes long; most texts do not hold it at all, and that is quickly seen.
  if (!wanted || !fold(text).includes(wanted)) return null;
  const letters = [...text.normalize("NFC")];
  let folded = "";
  const origin = []; // for each letter of the folded text, the letter it came from
  letters.forEach((letter, index) => {
    for (const one of fold(letter)) {
      folded += one;
      for (let i = 0; i < one.length; i++) origin.push(index);
    }
  });
  const at = folded.indexOf(wanted);
  if (at < 0) return null;
  const length = (count) => letters.slice(0, count).join("").length;
  return { start: length(origin[at]), end: length(origin[at + wanted.length - 1] + 1) };
}
