// Writes a conversation as Markdown and reads it again. A heading opens each turn. What would be a heading or markup
// inside a turn is escaped, so that it is displayed as written and read back word for word, but for space at its ends.

import { Damaged } from "./shape.js";

const escape = (text) => text.replace(/[\\<]/g, "\\$&").replace(/^#/gm, "\\#");
const unescape = (text) => text.replace(/\\([\\<#])/g, "$1");
const line = (text) => text.replace(/\s+/g, " ");

/** `turns` are [{role, content}]; `names` are {user, assistant}, for the headings. */
export function write(title, turns, names) {
  const who = `<!-- user: ${names.user} | assistant: ${names.assistant} -->`;
  const blocks = turns.map((turn) => `## ${names[turn.role]}\n\n${escape(turn.content)}`);
  return [`# ${escape(line(title))}`, who, ...blocks].join("\n\n") + "\n";
}

/** {title, messages: [{role, content}]}. Raises Damaged; `names` are for files without names of their own. */
export function read(text, names) {
  const lines = text.split(/\r?\n/);
  const title = unescape(lines[0].replace(/^#\s*/, ""));
  const told = text.match(/^<!-- user: (.*) \| assistant: (.*) -->$/m);
  const { user, assistant } = told ? { user: told[1], assistant: told[2] } : names;
  // "Ngươi" is the heading of the visitor in files from the first version of the page.
  const roles = new Map([["Ngươi", "user"], [user, "user"], [assistant, "assistant"]]);
  const turns = [];
  lines.slice(1).forEach((content, index) => {
    const heading = content.match(/^#+\s+(.*?)\s*$/);
    if (heading) {
      const role = roles.get(heading[1]);
      if (!role) throw new Damaged("damagedHeading", index + 2, heading[1], user, assistant);
      turns.push({ role, lines: [] });
    } else if (turns.length) turns.at(-1).lines.push(content);
  });
  return { title, messages: turns.map(({ role, lines: said }) => ({ role, content: unescape(said.join("\n").trim()) })) };
}
