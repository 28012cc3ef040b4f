// The list of conversations with its search, and the drawer that it becomes on a phone.

import { $, element } from "./dom.js";
import { currentLanguage, t } from "./i18n.js";
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
 * @import { Heading } from "./records.js"
 * @type {{currentId: string, actions: {open(id: string): void, menu(one: Heading): any[]}}}
 */
let drawn = /** @type {any} */ ({ currentId: null, actions: null });

/** Draw the list; `actions` are {open(id), menu(conversation)}, and `menu` returns the entries of a row's menu. */
export function drawList(currentId, actions) {
  drawn = { currentId, actions };
  $("export-all").hidden = !store.list().length;
  const query = search.value.trim();
  if (query) drawFound(query);
  else drawRows(store.list().map((one) => ({ one, found: {} })), "");
}

async function drawFound(query) {
  const turns = await store.allTurns();
  if (search.value.trim() !== query) return; // another letter has been typed
  const rows = store.list().map((one) => ({ one, found: hit(one, turns.get(one.id) ?? [], query) }));
  const found = rows.filter((row) => row.found);
  drawRows(found, t("found", found.length));
}

let before = "";

/** Draw the rows, unless they are there: a long list is not made again for each message. */
function drawRows(rows, found) {
  $("found").textContent = found;
  const what = JSON.stringify([currentLanguage(), drawn.currentId, rows.map(({ one, found: at }) => [one.id, one.title, at])]);
  if (what !== before) list.replaceChildren(...rows.map(({ one, found: at }) => row(one, at)));
  before = what;
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
function hit(one, turns, query) {
  if (find(one.title, query)) return {};
  for (const { content } of turns) {
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
  const title = element("span", "name", name);
  title.dir = "auto";
  open.append(title);
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
