// Exports conversations to files and imports them again.

import { tell } from "./dialog.js";
import { $ } from "./dom.js";
import * as files from "./files.js";
import { t } from "./i18n.js";
import { name as character } from "./persona.js";
import { Damaged } from "./shape.js";
import * as store from "./store.js";

const MAX_BYTES = 100 * 1024 * 1024;
const names = () => ({ user: t("you"), assistant: character });

export const saveJson = (conversations, title) =>
  files.download(files.fileName(title, "json"), "application/json", files.toJson(conversations));

export const saveMarkdown = (one) =>
  files.download(files.fileName(one.title, "md"), "text/markdown", files.toMarkdown(one, names()));

/**
 * Import the files that the visitor chooses. `imported(conversations, left)` is called once they are stored; `left` turns
 * were not taken.
 */
export function listen(imported) {
  const chooser = $("import-file");
  $("import").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", async () => {
    const chosen = [...(chooser.files ?? [])];
    chooser.value = ""; // the same file may be chosen again
    for (const file of chosen) await take(file, imported);
  });
  $("export-all").addEventListener("click", async () =>
    saveJson(await store.loadAll(), `${character}-${new Date().toISOString().slice(0, 10)}`));
}

async function take(file, imported) {
  try {
    if (file.size > MAX_BYTES) throw new Damaged("tooBig");
    const { found, left } = files.parse(await file.text(), names());
    await imported(await store.saveAll(found), left);
  } catch (error) {
    // The browser's own message differs between browsers; what is wrong with a file is in the page's words.
    const words = { QuotaExceededError: t("noRoom"), SecurityError: t("forbidden") };
    const reason = error instanceof Damaged ? t(error.key, ...error.args) : (words[/** @type {Error} */ (error).name] ?? String(error));
    await tell(t("notImported", file.name), `${reason} ${t("nothingLost")}`);
  }
}
