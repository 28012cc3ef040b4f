// A text as a small Markdown: *actions*, **bold**, lists, code and links. markdown-it cuts it into tokens; this file makes
// DOM nodes of those that it knows. HTML is not known, so that it is shown as the text that it is.

import MarkdownIt from "./vendor/markdown-it.js";

/** @import { Token } from "./vendor/markdown-it.js" */

const markdown = new MarkdownIt("zero", { html: false, linkify: false }).enable([
  "newline", "escape", "emphasis", "backticks", "fence", "list", "link", "autolink",
]);

const ELEMENTS = { p: "p", em: "em", strong: "strong", ul: "ul", ol: "ol", li: "li", a: "a" };
const SAFE = /^(https?:|mailto:)/i;

/** The nodes of a text. */
export function nodes(text) {
  const root = document.createDocumentFragment();
  write(root, markdown.parse(text, {}));
  return root;
}

/**
 * @param {ParentNode & Node} root
 * @param {Token[]} tokens
 */
function write(root, tokens) {
  /** @type {Node[]} */
  const open = [root];
  for (const token of tokens) {
    const here = /** @type {Node} */ (open.at(-1));
    if (token.type === "inline") write(/** @type {any} */ (here), token.children ?? []);
    else if (token.type === "softbreak" || token.type === "hardbreak") here.appendChild(document.createTextNode("\n"));
    else if (token.type === "code_inline") here.appendChild(code(token.content));
    else if (token.type === "fence") here.appendChild(block(token.content));
    else if (token.type.endsWith("_open") && token.tag in ELEMENTS) open.push(here.appendChild(opened(token)));
    else if (token.type.endsWith("_close") && token.tag in ELEMENTS) open.pop();
    else if (token.content) here.appendChild(document.createTextNode(token.content));
  }
}

/** @param {Token} token */
function opened(token) {
  const made = document.createElement(ELEMENTS[token.tag]);
  const href = token.attrGet("href");
  if (token.type === "paragraph_open" && token.hidden) return document.createElement("span"); // in a tight list
  if (href !== null && SAFE.test(href)) Object.assign(made, { href, title: href, target: "_blank", rel: "noreferrer nofollow" });
  if (token.block) made.dir = "auto"; // each paragraph by its own first letter
  const start = token.attrGet("start");
  if (start !== null) made.setAttribute("start", start);
  return made;
}

function code(text) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}

function block(text) {
  const made = document.createElement("pre");
  made.tabIndex = 0; // it scrolls sideways, also by keyboard
  made.append(code(text.replace(/\n$/, "")));
  return made;
}
