// What an empty conversation shows: a greeting, the notice, and first messages to choose from. They come from the persona;
// where it has none, the page has neutral ones.

import { $, element } from "./dom.js";
import { currentLanguage, t } from "./i18n.js";
import * as persona from "./persona.js";

let drawn = "";

/** Draw it for a conversation, once: new buttons would take the focus away. `say(text)` begins the conversation. */
export function drawOpening(conversation, say) {
  const what = `${conversation.id} ${currentLanguage()}`;
  if (what === drawn) return;
  drawn = what;
  const greetings = own(persona.greetings) ?? neutral([t("greeting")]);
  const notice = own(persona.notice) ?? neutral(t("notice"));
  const starters = own(persona.starters) ?? neutral(t("starters"));
  write($("greeting"), oneOf(greetings.value, conversation.id), greetings.language);
  write($("notice"), notice.value, notice.language);
  $("prompts").replaceChildren(...starters.value.map((text) => starter(text, starters.language, say)));
}

const own = (texts) => texts(currentLanguage());
const neutral = (value) => ({ value, language: currentLanguage() });

/** The same one each time that a conversation is drawn, another one for other conversations. */
const oneOf = (values, id) => values[(Number.parseInt(id.slice(-6), 16) || 0) % values.length];

function starter(text, language, say) {
  const button = element("button");
  button.type = "button";
  write(button, text, language);
  button.addEventListener("click", () => say(text));
  const item = element("li");
  item.append(button);
  return item;
}

function write(target, text, language) {
  target.textContent = text;
  target.lang = language; // a screen reader reads it in its own language
}
