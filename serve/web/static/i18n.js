// The page's words in the current language. A new language is a file in words/ and a line here and in serve/http/page.py.

import en from "./words/en.js";
import vi from "./words/vi.js";

export const WORDS = { vi, en };

let language = "vi";

export const currentLanguage = () => language;
export const setLanguage = (code) => {
  language = code in WORDS ? code : "vi";
};

/** The language to start in: of those that the page has and the character speaks, the first that the visitor reads. */
export function firstLanguage(visitors, characters) {
  const spoken = characters.filter((code) => code in WORDS);
  const offered = spoken.length ? spoken : Object.keys(WORDS);
  const read = visitors.map((code) => code.slice(0, 2)).find((code) => offered.includes(code));
  return read ?? (offered.includes("en") ? "en" : offered[0]);
}

/** The word for a key in the current language; words that vary are functions. */
export const t = (key, ...args) => {
  const word = WORDS[language][key];
  return typeof word === "function" ? word(...args) : word;
};

/** Fill every element that names its words with data-i18n, data-i18n-label or data-i18n-alt. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-i18n]"))) element.textContent = t(element.dataset.i18n);
  for (const element of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("[data-i18n-label]"))) {
    const label = t(element.dataset.i18nLabel);
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.title = label;
    if (element.matches("input")) element.placeholder = label;
  }
  for (const element of /** @type {NodeListOf<HTMLImageElement>} */ (root.querySelectorAll("[data-i18n-alt]"))) element.alt = t(element.dataset.i18nAlt);
}
