// What the list of conversations does: begin, open, rename, export, import, delete.

import * as chat from "./chat.js";
import * as exchange from "./exchange.js";
import { t } from "./i18n.js";
import { keptList } from "./kept_list.js";
import { draw, open, show, shown } from "./session.js";
import { clearSearch } from "./sidebar.js";
import * as store from "./store.js";
import { mention } from "./toast.js";
import { create } from "./tree.js";

const kept = keptList({ open, create, show, shown, draw, forget: chat.forget });

export const showStored = kept.showStored;

export const listActions = {
  open: kept.open,
  menu: (one) => [
    { icon: "pencil", label: t("rename"), act: () => kept.rename(one) },
    { icon: "save", label: t("saveJson"), act: async () => exchange.saveJson([await kept.whole(one.id)], one.title) },
    { icon: "file", label: t("saveMarkdown"), act: async () => exchange.saveMarkdown(await kept.whole(one.id)) },
    { icon: "bin", label: t("remove"), act: () => kept.remove(one), danger: true },
  ],
};

exchange.listen(async (conversations, left) => {
  clearSearch();
  for (const one of open.values()) await store.catchUp(one); // an open conversation may have got more turns
  await listActions.open(conversations[0].id);
  mention([t("imported", conversations.length), left && t("notTaken", left)].filter(Boolean).join(" "));
});
