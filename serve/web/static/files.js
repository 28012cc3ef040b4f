// Conversations as files: JSON with every branch, Markdown with the branch that is shown. Text in, text out.

import * as foreign from "./foreign_files.js";
import * as markdown from "./markdown.js";
import { Damaged, conversation } from "./shape.js";
import { VERSION, path } from "./tree.js";

const FORMAT = "inosuke-chat";

/** The content of a file with one conversation or all of them. */
export const toJson = (conversations) =>
  JSON.stringify({ format: FORMAT, version: VERSION, exported: new Date().toISOString(), conversations }, null, 2);

export const toMarkdown = (one, names) => markdown.write(one.title, path(one), names);

/**
 * The conversations in a file's text, as {found, left}: `left` turns of another program's file were not taken. Raises
 * Damaged if any conversation is damaged. `names` are {user, assistant}.
 */
export function parse(text, names) {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (!trimmed) throw new Damaged("damagedBlank");
  if (trimmed.startsWith("#")) return { found: [conversation(markdown.read(trimmed, names))], left: 0 };
  let value;
  try {
    value = JSON.parse(trimmed);
  } catch {
    value = foreign.lines(trimmed);
    if (!value) throw new Damaged("damagedJson");
  }
  const theirs = foreign.read(value);
  if (theirs?.found.length) return { found: theirs.found.map((one, index) => conversation(one, index + 1)), left: theirs.left };
  if (value?.format === FORMAT && value.version > VERSION) throw new Damaged("damagedNewer", value.version, VERSION);
  // The first version of the page wrote a single conversation, not a list.
  const found = Array.isArray(value) ? value : Array.isArray(value?.conversations) ? value.conversations : [value];
  if (!found.length) throw new Damaged("damagedEmpty", 1);
  return { found: found.map((one, index) => conversation(one, index + 1)), left: 0 };
}

/** Download a file. */
export function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A file name made from a title, without characters that a file system refuses. */
export const fileName = (title, ending) =>
  `${title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "chat"}.${ending}`;
