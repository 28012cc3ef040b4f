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
  open(id) {
    show(open.get(id) ?? store.all().find((one) => one.id === id) ?? create());
    showDrawer(false);
    composer.focusInput();
  },
  menu: (one) => [
    { icon: "pencil", label: t("rename"), act: () => rename(one) },
    { icon: "save", label: t("saveJson"), act: () => exchange.saveJson([one], one.title) },
    { icon: "file", label: t("saveMarkdown"), act: () => exchange.saveMarkdown(one) },
    { icon: "bin", label: t("remove"), act: () => remove(one), danger: true },
  ],
};

async function rename(one) {
  const title = await ask({ title: t("renameTitle"), yes: t("save"), field: "line", value: one.title });
  if (!title?.trim()) return;
  const known = open.get(one.id) ?? one;
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
  if (shown().id === one.id) show(store.all()[0] ?? create());
  else draw();
}

$("new").addEventListener("click", () => {
  clearSearch();
  show(create());
  showDrawer(false);
  composer.focusInput();
});
exchange.listen((conversations) => {
  clearSearch();
  for (const one of open.values()) store.catchUp(one); // an open conversation may have got more turns
  listActions.open(conversations[0].id);
  mention(t("imported", conversations.length));
});
