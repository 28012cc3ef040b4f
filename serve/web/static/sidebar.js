// The list of conversations, its dialogs, and the drawer that it becomes on a phone.

import { t } from "./i18n.js";
import { iconButton } from "./icons.js";
import * as store from "./store.js";

const list = document.getElementById("conversations");
const sidebar = document.getElementById("sidebar");
const scrim = document.getElementById("scrim");
const opener = document.getElementById("sidebar-open");
const dialog = document.getElementById("dialog");
const dialogInput = document.getElementById("dialog-input");

/** Draw the list; `actions` are {open(id), renamed(conversation), removed(id)}. */
export function drawList(currentId, actions) {
  list.replaceChildren(...store.all().map((conversation) => row(conversation, conversation.id === currentId, actions)));
}

/** Open or close the drawer; on a wide screen the list is always there and this changes nothing. */
export function showDrawer(open) {
  sidebar.classList.toggle("open", open);
  scrim.hidden = !open;
  opener.setAttribute("aria-expanded", String(open));
  if (open) document.getElementById("sidebar-close").focus();
}

/** Save a conversation as a file that can be read without this page. */
export function download(conversation) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(conversation, null, 2)], { type: "application/json" }));
  link.download = `${conversation.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "chat"}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

opener.addEventListener("click", () => showDrawer(true));
document.getElementById("dialog-no").addEventListener("click", () => dialog.close("no"));
for (const id of ["sidebar-close", "scrim"]) {
  document.getElementById(id).addEventListener("click", () => {
    showDrawer(false);
    opener.focus();
  });
}

function row(conversation, current, actions) {
  const item = document.createElement("li");
  item.className = current ? "current" : "";
  const open = document.createElement("button");
  open.type = "button";
  open.className = "open";
  open.textContent = conversation.title || t("untitled");
  if (current) open.setAttribute("aria-current", "true");
  open.addEventListener("click", () => actions.open(conversation.id));
  item.append(
    open,
    iconButton("pencil", t("rename"), () => rename(conversation, actions)),
    iconButton("save", t("exportChat"), () => download(conversation)),
    iconButton("bin", t("remove"), () => remove(conversation, actions)),
  );
  return item;
}

async function rename(conversation, actions) {
  const title = await ask(t("renameTitle"), t("save"), conversation.title);
  if (title?.trim()) actions.renamed({ ...conversation, title: title.trim() });
}

async function remove(conversation, actions) {
  const yes = await ask(t("removeTitle", conversation.title || t("untitled")), t("remove"));
  if (yes !== null) actions.removed(conversation.id);
}

/** Ask in the dialog. Resolves to the text (empty where none was asked for), or to null for "no". */
function ask(question, yes, text = null) {
  document.getElementById("dialog-title").textContent = question;
  document.getElementById("dialog-yes").textContent = yes;
  dialogInput.hidden = text === null;
  dialogInput.disabled = text === null; // a disabled field takes no focus and no part in the form
  dialogInput.value = text ?? "";
  dialog.returnValue = "no";
  dialog.showModal();
  if (text !== null) dialogInput.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? dialogInput.value : null), { once: true });
  });
}
