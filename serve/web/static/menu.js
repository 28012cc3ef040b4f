// A small menu under a button, after WAI-ARIA's menu button pattern: arrows move, Escape and Tab close.

import { $, element } from "./dom.js";
import { icon } from "./icons.js";

const menu = $("menu");
/** @type {HTMLElement | null} */
let owner = null;

/** Open the menu under `button`; `items` are [{icon, label, act, danger?}]. */
export function openMenu(button, items) {
  owner = button;
  menu.setAttribute("aria-label", button.getAttribute("aria-label"));
  menu.replaceChildren(
    ...items.map((item) => {
      const entry = element("button", item.danger ? "danger" : "");
      entry.type = "button";
      entry.setAttribute("role", "menuitem");
      entry.tabIndex = -1;
      entry.append(icon(item.icon), element("span", "", item.label));
      entry.addEventListener("click", () => {
        close();
        item.act();
      });
      return entry;
    }),
  );
  button.closest("aside, main")?.append(menu); // in the landmark that it belongs to
  menu.showPopover();
  button.setAttribute("aria-expanded", "true");
  const at = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  menu.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
  /** @type {HTMLElement} */ (menu.firstElementChild).focus();
}

function close() {
  menu.hidePopover();
  owner?.focus();
}

menu.addEventListener("toggle", (event) => {
  if (event.newState === "closed") owner?.setAttribute("aria-expanded", "false");
});
menu.addEventListener("keydown", (event) => {
  const entries = /** @type {HTMLElement[]} */ ([...menu.children]);
  const here = entries.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: here + 1, ArrowUp: here - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
  if (to !== undefined) entries[to % entries.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
});
