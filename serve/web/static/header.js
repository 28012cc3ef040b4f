// The language and the colours: two buttons, and the words that hang on them.

import { $, element } from "./dom.js";
import { currentLanguage, setLanguage, t, translate } from "./i18n.js";
import { icon } from "./icons.js";
import * as store from "./store.js";

const { character } = document.body.dataset;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

/** Start in the person's language; `changed()` is called when they choose another one. */
export function startHeader(changed) {
  setLanguage(store.setting("language") ?? (navigator.language.startsWith("vi") ? "vi" : "en"));
  systemDark.addEventListener("change", drawTheme);
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    store.saveSetting("theme", document.documentElement.dataset.theme);
    drawTheme();
  });
  $("language").addEventListener("click", () => {
    setLanguage(currentLanguage() === "vi" ? "en" : "vi");
    store.saveSetting("language", currentLanguage());
    changed();
  });
}

/** Write every word that does not belong to a conversation. `info` is the server's, or null; `say(prompt)` opens one. */
export function drawWords(info, say) {
  translate();
  $("input").placeholder = t("placeholder", character);
  $("language").textContent = t("other");
  label($("language"), t("otherLabel"));
  $("status").textContent = info ? t("ready", info) : "";
  $("prompts").replaceChildren(
    ...t("prompts").map((prompt) => {
      const button = element("button", "", prompt);
      button.type = "button";
      button.addEventListener("click", () => say(prompt));
      const item = element("li");
      item.append(button);
      return item;
    }),
  );
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
