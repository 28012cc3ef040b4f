// What an empty conversation shows: a greeting, with others to choose from, the notice, and first messages. They come from
// the persona; where it has none, the page has neutral ones.

import { $, element } from "./dom.js";
import { currentLanguage, t } from "./i18n.js";
import * as persona from "./persona.js";

let drawn = "";
const turned = new Map(); // conversation id → which greeting the visitor has turned to

/** Draw it for a conversation, once: new buttons would take the focus away. `say(text)` begins the conversation. */
export function drawOpening(conversation, say) {
  const what = `${conversation.id} ${currentLanguage()}`;
  if (what === drawn) return;
  drawn = what;
  const notice = own(persona.notice) ?? neutral(t("notice"));
  const starters = own(persona.starters) ?? neutral(t("starters"));
  drawGreeting(conversation);
  write($("notice"), notice.value, notice.language);
  $("prompts").replaceChildren(...starters.value.map((text) => starter(text, starters.language, say)));
}

/** The words with which the character opens a conversation, or null where the persona has none. */
export const greeting = (conversation) => own(persona.greetings) && current(conversation).text;

function current(conversation) {
  const greetings = own(persona.greetings) ?? neutral([t("greeting")]);
  const { length } = greetings.value;
  // The same one each time that a conversation is drawn, another one for other conversations.
  const at = turned.get(conversation.id) ?? ((Number.parseInt(conversation.id.slice(-6), 16) || 0) % length);
  const here = ((at % length) + length) % length;
  return { text: greetings.value[here], language: greetings.language, here, length };
}

function drawGreeting(conversation) {
  const { text, language, here, length } = current(conversation);
  write($("greeting"), text, language);
  $("greetings").hidden = length < 2;
  $("greetings").setAttribute("aria-label", t("greetingLabel", here + 1, length));
  $("greeting-count").textContent = t("variant", here + 1, length);
  for (const [id, by] of /** @type {[string, number][]} */ ([["greeting-earlier", -1], ["greeting-later", 1]])) {
    $(id).onclick = () => turn(conversation, here + by);
  }
}

function turn(conversation, to) {
  turned.set(conversation.id, to);
  drawGreeting(conversation);
  $("announce").textContent = current(conversation).text;
}

/** Turn to the next (1) or the former (-1) greeting. */
export const turnGreeting = (conversation, by) => turn(conversation, current(conversation).here + by);

const own = (texts) => texts(currentLanguage());
const neutral = (value) => ({ value, language: currentLanguage() });

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
