// The character, as the server sent it with the page. The texts come from persona.toml; they only ever become text nodes.

const sent = JSON.parse(document.body.dataset.persona);

export const { name, portrait, languages } = sent;

/**
 * What persona.toml has in a language or, failing that, in another one, first those that the character speaks:
 * {value, language}, or null where it has nothing.
 */
function chosen(texts, language) {
  const code = [language, ...languages, ...Object.keys(texts)].find((one) => texts[one]?.length);
  return code ? { value: texts[code], language: code } : null;
}

export const greetings = (language) => chosen(sent.greetings, language);
export const notice = (language) => chosen(sent.notice, language);
export const starters = (language) => chosen(sent.starters, language);
