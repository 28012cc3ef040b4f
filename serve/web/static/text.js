// Cleans texts, makes titles of them, and compares them without their tone marks.

/** Text without what the server would refuse: control characters and halves of surrogate pairs. Spaces stay. */
export const sendable = (text) =>
  // eslint-disable-next-line no-control-regex
  text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "").toWellFormed();

/** Text without control characters, which come with text pasted from other programs, and without outer spaces. */
export const clean = (text) => sendable(text).trim();

/** The first line without its asterisks, shortened to fit into the list. */
export function titleOf(text) {
  const [line] = text.trim().split("\n", 1);
  const letters = [...(line.replace(/[*`]+/g, "").trim() || line)];
  return letters.length > 40 ? `${letters.slice(0, 39).join("")}…` : letters.join("");
}

/** Lower case without marks, so that “chao” finds “Chào” and “dau” finds “đấu”. */
export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d");

/** Where `query` stands in `text`, as {start, end} of the unfolded text (NFC), or null. */
export function find(text, query) {
  const wanted = fold(query);
  // Searching letter by letter is slow; most texts do not match at all, which is quick to find out.
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
