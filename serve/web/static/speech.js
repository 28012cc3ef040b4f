// Reads replies aloud with the voices that the browser has. It is off until the visitor switches it on.

import { nodes } from "./formatted.js";
import { currentLanguage } from "./i18n.js";
import { saveSetting, setting } from "./settings.js";

const NAME = "read-aloud";
const VIETNAMESE = /[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/i;

/** Whether this browser can speak. */
export const possible = () => "speechSynthesis" in window;
export const isOn = () => possible() && setting(NAME) === "yes";
export const setOn = (on) => saveSetting(NAME, on ? "yes" : null);
export const isSpeaking = () => possible() && speechSynthesis.speaking;
export const stop = () => possible() && speechSynthesis.cancel();

/** Read a text aloud, without its asterisks, in the language that it seems to be in. */
export function read(text) {
  stop();
  const spoken = new SpeechSynthesisUtterance(nodes(text).textContent ?? "");
  spoken.lang = VIETNAMESE.test(text) ? "vi-VN" : currentLanguage() === "vi" ? "vi-VN" : "en-US";
  const voice = speechSynthesis.getVoices().find((one) => one.lang.replace("_", "-").startsWith(spoken.lang.slice(0, 2)));
  if (voice) spoken.voice = voice;
  speechSynthesis.speak(spoken);
}
