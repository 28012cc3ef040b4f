// The language and the colours: two buttons, and the words that depend on them.

import { $ } from "./dom.js";
import { currentLanguage, firstLanguage, setLanguage, t, translate } from "./i18n.js";
import { icon } from "./icons.js";
import { languages } from "./persona.js";
import { saveSetting, setting } from "./settings.js";

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

/** Start in the visitor's language, if the character speaks it; `changed()` is called when they choose another one. */
export function startHeader(changed) {
  setLanguage(setting("language") ?? firstLanguage(navigator.languages, languages));
  systemDark.addEventListener("change", drawTheme);
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    saveSetting("theme", document.documentElement.dataset.theme);
    drawTheme();
  });
  $("language").addEventListener("click", () => {
    setLanguage(currentLanguage() === "vi" ? "en" : "vi");
    saveSetting("language", currentLanguage());
    changed();
  });
}

/** Write every word that does not belong to a conversation. `info` is the server's, or null. */
export function drawWords(info) {
  translate();
  $("input").placeholder = t("placeholder");
  $("language").textContent = t("other");
  label($("language"), t("otherLabel"));
  $("status").textContent = info ? t("ready", info) : "";
  drawTheme();
}

function drawTheme() {
  $("theme").replaceChildren(icon(isDark() ? "sun" : "moon"));
  label($("theme"), isDark() ? t("toLight") : t("toDark"));
}

function label(button, words) {
  button.title = words;
  button.setAttribute("aria-label", words);
}
