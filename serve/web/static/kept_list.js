// What any page lets a visitor do with the conversations in its list: show, rename, delete, begin a new one.

import * as composer from "./composer.js";
import { ask } from "./dialog.js";
import { $ } from "./dom.js";
import * as drafts from "./drafts.js";
import { t } from "./i18n.js";
import { clearSearch, showDrawer } from "./sidebar.js";
import * as store from "./store.js";

/**
 * `page` is how the page holds its conversations: those it has `open` by id, `create()` and `show(one)` one, which is
 * `shown()`, `draw()`, and `forget(one)` whatever else it keeps of it.
 */
export function keptList(page) {
  let wanted = /** @type {string | undefined} */ (""); // the last one that was asked for: reading another one may take longer

  /** The conversation as this tab has it open or, failing that, as it is stored. */
  const whole = async (id) => (id && (page.open.get(id) ?? (await store.load(id)))) || page.create();

  /** Show a stored conversation, or the newest one without an id; a new one where there is none. */
  async function showStored(id = store.list()[0]?.id) {
    wanted = id;
    const one = await whole(id);
    if (wanted === id) page.show(one);
  }

  /** What a press on a line of the list does. */
  async function open(id) {
    await showStored(id);
    showDrawer(false);
    composer.focusInput();
  }

  async function rename(one) {
    const title = await ask({ title: t("renameTitle"), yes: t("save"), field: "line", value: one.title });
    if (!title?.trim()) return;
    const known = await whole(one.id);
    [known.title, known.titled] = [title.trim(), Date.now()];
    store.save(known);
    page.draw();
  }

  async function remove(one) {
    const asked = { title: t("removeTitle", one.title || t("untitled")), note: t("removeNote"), yes: t("remove"), danger: true };
    if ((await ask(asked)) === null) return;
    const gone = page.open.get(one.id);
    if (gone) page.forget(gone);
    page.open.delete(one.id);
    drafts.keep(one, "");
    store.remove(one.id);
    if (page.shown().id === one.id) await showStored();
    else page.draw();
  }

  $("new").addEventListener("click", () => {
    clearSearch();
    wanted = "";
    page.show(page.create());
    showDrawer(false);
    composer.focusInput();
  });

  return { whole, showStored, open, rename, remove };
}
