// Macros in a fact's text, as curation/lorebook/macros.py fills them. Nothing is drawn by chance.

import { hash, points, strip } from "./texts.js";

const MACRO = /\{\{([^{}]*)\}\}/g;
const SPEAKER = /<(char|bot|user)>/giu;
const MOST_SIDES = 10n ** 9n;

/** A macro's name in small letters and its value, both without outer white space. */
function parts(body) {
  const [name] = body.split(":", 1);
  return { name: strip(name).toLowerCase(), rest: body.slice(name.length + 1) };
}

/**
 * A text as a model reads it. Unknown macros stay as they are.
 * @param {string} content
 * @param {string} character
 * @param {string} user
 * @param {string} seed
 */
export function filled(content, character, user, seed = "") {
  const drawn = (chosen, count, at) => hash(`${points(content, at)}\0${chosen}\0${content}`) % count;
  const text = content.replace(MACRO, (macro, inside, at) => {
    const body = strip(inside);
    if (body.startsWith("//")) return "";
    const { name, rest } = parts(body);
    const value = strip(rest.startsWith(":") ? rest.slice(1) : rest);
    if ((name === "char" || name === "user") && !value) return name === "char" ? character : user;
    if (name === "comment" || name === "hidden_key") return "";
    if (name === "reverse") return [...value].reverse().join("");
    if ((name === "random" || name === "pick") && value) {
      const choices = value.split(/(?<!\\),/).map((part) => strip(part.replaceAll("\\,", ",")));
      return choices[Number(drawn(name === "pick" ? "" : seed, BigInt(choices.length), at))];
    }
    const sides = value.toLowerCase().replace(/^d/, "");
    if (name === "roll" && /^0*[1-9][0-9]*$/.test(sides)) {
      const most = sides.replace(/^0+/, "").length > 9 ? MOST_SIDES : BigInt(sides);
      return String(1n + drawn(seed, most, at));
    }
    return macro;
  });
  return strip(text.replace(SPEAKER, (_, who) => (who.toLowerCase() === "user" ? user : character)));
}

/** What keys are looked for in when other facts are scanned: hidden keys count, comments do not. */
export function scanned(content) {
  return content.replace(MACRO, (macro, inside) => {
    const body = strip(inside);
    const [name] = body.split(":", 1);
    if (name.startsWith("//") || strip(name).toLowerCase() === "comment") return " ";
    return strip(name).toLowerCase() === "hidden_key" ? body.slice(name.length + 1) : macro;
  });
}
