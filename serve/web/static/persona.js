// The character, as the server sent it with the page. The texts come from persona.toml; they only ever become text nodes.

/**
 * @template T
 * @typedef {Record<string, T>} ByLanguage
 */
/**
 * @typedef {{
 *   name: string, place: string, portrait: string, languages: string[],
 *   greetings: ByLanguage<string[]>, starters: ByLanguage<string[]>, notice: ByLanguage<string>,
 * }} Persona
 */

const sent = /** @type {Persona} */ (JSON.parse(document.body.dataset.persona ?? ""));

export const { name, place, portrait, languages } = sent;

/**
 * What persona.toml has in a language or, failing that, in another one, first those that the character speaks:
 * {value, language}, or null where it has nothing.
 * @template {string | string[]} T
 * @param {ByLanguage<T>} texts
 * @param {string} language
 */
function chosen(texts, language) {
  const code = [language, ...languages, ...Object.keys(texts)].find((one) => texts[one]?.length);
  return code ? { value: texts[code], language: code } : null;
}

/** @param {string} language */
export const greetings = (language) => chosen(sent.greetings, language);
/** @param {string} language */
export const notice = (language) => chosen(sent.notice, language);
/** @param {string} language */
export const starters = (language) => chosen(sent.starters, language);
