// The list of conversations with its search, and the drawer that it becomes on a phone.

import { $, element } from "./dom.js";
import { t } from "./i18n.js";
import { iconButton } from "./icons.js";
import { openMenu } from "./menu.js";
import * as store from "./store.js";
import { find } from "./text.js";

const list = $("conversations");
const sidebar = $("sidebar");
const scrim = $("scrim");
const opener = $("sidebar-open");
const search = $("search");

const AROUND = 12; // characters of a message that are shown before the match
/**
 * @import { Conversation } from "./tree.js"
 * @type {{currentId: string, actions: {open(id: string): void, menu(one: Conversation): any[]}}}
 */
let drawn = /** @type {any} */ ({ currentId: null, actions: null });

/** Draw the list; `actions` are {open(id), menu(conversation)}, and `menu` returns the entries of a row's menu. */
export function drawList(currentId, actions) {
  drawn = { currentId, actions };
  const query = search.value.trim();
  const all = store.all();
  $("export-all").hidden = !all.length;
  const rows = all.map((one) => ({ one, found: query ? hit(one, query) : {} })).filter(({ found }) => found);
  list.replaceChildren(...rows.map(({ one, found }) => row(one, found)));
  $("found").textContent = query ? t("found", rows.length) : "";
}

/** Open or close the drawer; on a wide screen the list is always visible and this changes nothing. */
export function showDrawer(open) {
  sidebar.classList.toggle("open", open);
  scrim.hidden = !open;
  $("main").inert = open; // what is under the drawer cannot be reached, as it looks
  opener.setAttribute("aria-expanded", String(open));
  if (open) $("sidebar-close").focus();
}

/** Clear the search, so that a new or imported conversation is in the list. */
export function clearSearch() {
  search.value = "";
}

opener.addEventListener("click", () => showDrawer(true));
matchMedia("(max-width: 760px)").addEventListener("change", () => showDrawer(false));
for (const id of ["sidebar-close", "scrim"]) {
  $(id).addEventListener("click", () => {
    showDrawer(false);
    opener.focus();
  });
}
search.addEventListener("input", () => drawList(drawn.currentId, drawn.actions));
search.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !search.value) return;
  event.stopPropagation(); // it empties the search and does not stop an answer
  event.preventDefault();
  clearSearch();
  drawList(drawn.currentId, drawn.actions);
});

/** Where a conversation matches: {} in its title, {text, start, end} in a turn of any branch, or null. */
function hit(one, query) {
  if (find(one.title, query)) return {};
  for (const { content } of one.nodes) {
    const text = content.normalize("NFC");
    const at = find(text, query);
    if (at) return { text, ...at };
  }
  return null;
}

function row(one, found) {
  const current = one.id === drawn.currentId;
  const name = one.title || t("untitled");
  const item = element("li", current ? "current" : "");
  const open = element("button", "open");
  open.type = "button";
  open.append(element("span", "name", name));
  if (found.text) open.append(excerpt(found));
  if (current) open.setAttribute("aria-current", "true");
  open.addEventListener("click", () => drawn.actions.open(one.id));
  const more = iconButton("more", t("more", name), () => openMenu(more, drawn.actions.menu(one)));
  more.setAttribute("aria-haspopup", "menu");
  more.setAttribute("aria-expanded", "false");
  item.append(open, more);
  return item;
}

function excerpt({ text, start, end }) {
  const from = Math.max(0, start - AROUND);
  const line = element("span", "excerpt", (from ? "…" : "") + text.slice(from, start));
  line.append(element("mark", "", text.slice(start, end)), text.slice(end, end + 60));
  return line;
}
