// The dialog behind the gear: who the visitor is, how replies are sampled, quick replies, reading aloud.

import { $, element } from "./dom.js";
import { t } from "./i18n.js";
import * as sampling from "./sampling.js";
import * as server from "./server.js";
import { saveSetting, setting } from "./settings.js";
import * as speech from "./speech.js";

const QUICK = "quick-replies";
const MOST = 12; // quick replies

/** The visitor's quick replies. */
export const quickReplies = () => (setting(QUICK) ?? "").split("\n").filter(Boolean).slice(0, MOST);

/** Show the dialog; `saved()` is called when something was changed. */
export function show(saved) {
  $("visitor").hidden = !server.remembers();
  $("visitor-name").value = setting("visitor-name") ?? "";
  $("visitor-about").value = setting("visitor-about") ?? "";
  $("quick-text").value = quickReplies().join("\n");
  $("read-aloud-row").hidden = !speech.possible();
  $("read-aloud").checked = speech.isOn();
  drawSampling({ ...sampling.offered(), ...sampling.chosen() });
  const form = /** @type {HTMLFormElement} */ ($("preferences").firstElementChild);
  // Not "close", which may come only after the next message has been sent.
  form.onsubmit = () => {
    keep();
    saved();
  };
  $("preferences").showModal();
}

function keep() {
  saveSetting("visitor-name", $("visitor-name").value.trim() || null);
  saveSetting("visitor-about", $("visitor-about").value.replace(/\s+/g, " ").trim() || null);
  const lines = $("quick-text").value.split("\n").map((line) => line.trim());
  saveSetting(QUICK, lines.filter(Boolean).slice(0, MOST).join("\n") || null);
  speech.setOn($("read-aloud").checked);
  if (!$("read-aloud").checked) speech.stop();
  const controls = /** @type {NodeListOf<HTMLInputElement>} */ ($("sampling-list").querySelectorAll("input"));
  sampling.choose(Object.fromEntries([...controls].map((one) => [one.name, Number(one.value)])));
}

function drawSampling(values) {
  $("sampling").hidden = !Object.keys(values).length;
  $("sampling-list").replaceChildren(...Object.entries(values).map(([name, value]) => control(name, value)));
}

/** A slider with its name and value; what is between two steps, as an operator may choose, is kept as it is. */
function control(name, value) {
  const row = element("label", "slider");
  const shown = element("output", "", String(value));
  const input = element("input");
  const { min, max, step } = sampling.RANGES[name];
  const off = Math.abs(value / step - Math.round(value / step)) > 1e-6;
  Object.assign(input, { type: "range", name, min, max, step: off ? "any" : step });
  input.value = String(value);
  input.addEventListener("input", () => {
    if (off) input.step = String(step);
    shown.textContent = String(Number(input.value));
  });
  row.append(element("span", "", t(name)), shown, input);
  return row;
}

$("preferences-no").addEventListener("click", () => $("preferences").close());
$("sampling-reset").addEventListener("click", () => drawSampling(sampling.offered()));
