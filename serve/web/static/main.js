// Wires the page together: which conversation is shown, the composer, the keys, the header.

import * as chat from "./chat.js";
import { currentLanguage, setLanguage, t, translate } from "./i18n.js";
import { drawIcons, icon } from "./icons.js";
import { drawList, showDrawer } from "./sidebar.js";
import * as store from "./store.js";
import { drawGrowth, drawTurns, toNewest } from "./view.js";

const $ = (id) => document.getElementById(id);
const input = $("input");
const { character } = document.body.dataset;

const open = new Map(); // conversations of this tab, so that one that is answered in the background is not lost
let current = null;
let editing = null; // the index of the message that the composer replaces
let info = null;

// ---------------------------------------------------------------- what is shown

function show(conversation) {
  current = conversation;
  open.set(conversation.id, conversation);
  endEdit();
  draw();
  toNewest();
}

function draw() {
  const busy = chat.isRunning(current);
  $("empty").hidden = current.messages.length > 0;
  drawTurns(current, { edit: startEdit, regenerate: askAgain });
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  drawTrouble();
  drawList(current.id, listActions);
}

/** Say what is wrong, and offer to do it once more where that may help. */
function drawTrouble(text = troubleText(), retry = askAgain) {
  $("trouble").hidden = !text;
  $("trouble-text").textContent = text ?? "";
  $("retry").hidden = !retry;
  $("retry").onclick = retry;
}

function troubleText() {
  const error = chat.troubleOf(current);
  if (error && !navigator.onLine) return t("offline");
  if (error) return { lost: t("lost"), broken: t("broken"), busy: t("busy") }[error.code] ?? error.message;
  // A message whose answer never came, for example because the page was closed.
  return current.messages.at(-1)?.role === "user" && !chat.isRunning(current) ? t("broken") : null;
}

const listActions = {
  open(id) {
    show(open.get(id) ?? store.all().find((c) => c.id === id) ?? store.create());
    showDrawer(false);
    focusInput();
  },
  renamed(conversation) {
    const known = open.get(conversation.id) ?? conversation;
    known.title = conversation.title;
    store.save(known);
    draw();
  },
  removed(id) {
    const gone = open.get(id);
    if (gone) chat.stop(gone);
    open.delete(id);
    store.remove(id);
    if (current.id === id) show(store.all()[0] ?? store.create());
    else draw();
  },
};

chat.onChange((conversation, what) => {
  if (!open.has(conversation.id)) return store.remove(conversation.id); // deleted while he was answering
  if (conversation !== current) return drawList(current.id, listActions);
  if (what === "text") return drawGrowth(conversation);
  draw();
  const last = conversation.messages.at(-1);
  if (!chat.isRunning(conversation) && last?.role === "assistant") $("announce").textContent = `${character}: ${last.content}`;
});

// ---------------------------------------------------------------- the composer

function submit() {
  const text = input.value;
  if (!text.trim() || chat.isRunning(current)) return;
  const length = text.trim().length;
  if (length > chat.maxChars()) return drawTrouble(t("tooLong", length, chat.maxChars()), null);
  const from = editing ?? undefined;
  endEdit();
  input.value = "";
  grow();
  toNewest();
  chat.say(current, text, from);
}

function askAgain() {
  chat.again(current);
  focusInput();
}

/** Ready to type; not on a phone, where this would open the keyboard over what there is to read. */
function focusInput() {
  if (matchMedia("(hover: hover)").matches) input.focus();
}

function startEdit(index) {
  editing = index;
  $("editing").hidden = false;
  input.value = current.messages[index].content;
  grow();
  input.focus();
}

function endEdit() {
  if (editing !== null) {
    input.value = "";
    grow();
  }
  editing = null;
  $("editing").hidden = true;
}

function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, innerHeight * 0.4)}px`;
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
input.addEventListener("input", grow);
input.addEventListener("keydown", (event) => {
  // isComposing: Enter that ends a Vietnamese or Japanese input method's word is not the one that sends.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("dialog").open) return;
  if (!$("scrim").hidden) $("scrim").click();
  else if (chat.isRunning(current)) chat.stop(current);
  else endEdit();
});
$("stop").addEventListener("click", () => {
  chat.stop(current);
  focusInput();
});
$("edit-cancel").addEventListener("click", endEdit);
$("new").addEventListener("click", () => {
  show(store.create());
  showDrawer(false);
  focusInput();
});

// ---------------------------------------------------------------- the header

function words() {
  translate();
  input.placeholder = t("placeholder", character);
  $("language").textContent = t("other");
  $("language").title = t("otherLabel");
  $("language").setAttribute("aria-label", t("otherLabel"));
  $("status").textContent = info ? t("ready", info) : "";
  $("prompts").replaceChildren(
    ...t("prompts").map((prompt) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = prompt;
      button.addEventListener("click", () => {
        chat.say(current, prompt);
        focusInput();
      });
      item.append(button);
      return item;
    }),
  );
  drawTheme();
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

function drawTheme() {
  const label = isDark() ? t("toLight") : t("toDark");
  $("theme").replaceChildren(icon(isDark() ? "sun" : "moon"));
  $("theme").title = label;
  $("theme").setAttribute("aria-label", label);
}

$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  store.saveSetting("theme", document.documentElement.dataset.theme);
  drawTheme();
});
systemDark.addEventListener("change", drawTheme);
$("language").addEventListener("click", () => {
  setLanguage(currentLanguage() === "vi" ? "en" : "vi");
  store.saveSetting("language", currentLanguage());
  words();
  draw();
});

// ---------------------------------------------------------------- from and to the world outside

async function loadInfo() {
  try {
    const response = await fetch("api/info");
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    info = await response.json();
    drawTrouble();
    chat.setLimits(info.limits);
    words();
  } catch {
    drawTrouble(t("lost"), loadInfo);
  }
}

store.whenStorageFails(() => drawTrouble(t("full"), null));
store.watch(() => {
  // Another tab has changed something. What is being answered here is newer than what is stored.
  for (const id of [...open.keys()]) if (id !== current.id && !chat.isRunning(open.get(id))) open.delete(id);
  const stored = store.all().find((c) => c.id === current.id);
  if (stored && !chat.isRunning(current) && editing === null) show(stored);
  else drawList(current.id, listActions);
});
addEventListener("pagehide", () => chat.keepUnfinished((id) => open.get(id)));
addEventListener("online", () => {
  drawTrouble();
  if (!info) loadInfo();
});
addEventListener("offline", () => drawTrouble(t("offline"), null));

setLanguage(store.setting("language") ?? (navigator.language.startsWith("vi") ? "vi" : "en"));
drawIcons();
words();
show(store.all()[0] ?? store.create());
loadInfo();
focusInput();
