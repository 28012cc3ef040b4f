// What the list of conversations does: begin, open, rename, export, import, delete.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import { ask } from "./dialog.js";
import { $ } from "./dom.js";
import * as drafts from "./drafts.js";
import * as exchange from "./exchange.js";
import { t } from "./i18n.js";
import { draw, open, show, shown } from "./session.js";
import { clearSearch, showDrawer } from "./sidebar.js";
import * as store from "./store.js";
import { mention } from "./toast.js";
import { create } from "./tree.js";

export const listActions = {
  async open(id) {
    await showStored(id);
    showDrawer(false);
    composer.focusInput();
  },
  menu: (one) => [
    { icon: "pencil", label: t("rename"), act: () => rename(one) },
    { icon: "save", label: t("saveJson"), act: async () => exchange.saveJson([await whole(one.id)], one.title) },
    { icon: "file", label: t("saveMarkdown"), act: async () => exchange.saveMarkdown(await whole(one.id)) },
    { icon: "bin", label: t("remove"), act: () => remove(one), danger: true },
  ],
};

/** The conversation as this tab has it open or, failing that, as it is stored. */
const whole = async (id) => (id && (open.get(id) ?? (await store.load(id)))) || create();

let wanted = /** @type {string | undefined} */ (""); // the last one that was asked for: reading another one may take longer

/** Show a stored conversation, or the newest one without an id; a new one where there is none. */
export async function showStored(id = store.list()[0]?.id) {
  wanted = id;
  const one = await whole(id);
  if (wanted === id) show(one);
}

async function rename(one) {
  const title = await ask({ title: t("renameTitle"), yes: t("save"), field: "line", value: one.title });
  if (!title?.trim()) return;
  const known = await whole(one.id);
  [known.title, known.titled] = [title.trim(), Date.now()];
  store.save(known);
  draw();
}

async function remove(one) {
  const asked = { title: t("removeTitle", one.title || t("untitled")), note: t("removeNote"), yes: t("remove"), danger: true };
  if ((await ask(asked)) === null) return;
  const gone = open.get(one.id);
  if (gone) chat.forget(gone);
  open.delete(one.id);
  drafts.keep(one, "");
  store.remove(one.id);
  if (shown().id === one.id) await showStored();
  else draw();
}

$("new").addEventListener("click", () => {
  clearSearch();
  show(create());
  showDrawer(false);
  composer.focusInput();
});
exchange.listen(async (conversations, left) => {
  clearSearch();
  for (const one of open.values()) await store.catchUp(one); // an open conversation may have got more turns
  await listActions.open(conversations[0].id);
  mention([t("imported", conversations.length), left && t("notTaken", left)].filter(Boolean).join(" "));
});
