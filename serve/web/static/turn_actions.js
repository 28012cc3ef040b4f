// What the buttons under a turn do: edit, answer again, choose a version, give feedback.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import { ask } from "./dialog.js";
import { $ } from "./dom.js";
import * as errors from "./errors.js";
import * as feedback from "./feedback.js";
import { t } from "./i18n.js";
import { draw, serverInfo, shown } from "./session.js";
import { clean } from "./text.js";
import { mention } from "./toast.js";
import { siblings } from "./tree.js";
import { drawTrouble } from "./trouble.js";
import { toNewest } from "./view.js";

/** The actions; those of feedback only where the server keeps any. */
export const turnActions = () => ({ ...always, ...(serverInfo()?.feedback && withFeedback) });

export function edit(turn) {
  composer.startEdit(turn);
  draw();
}

const always = {
  edit,
  again(turn) {
    composer.endEdit();
    toNewest();
    chat.again(shown(), turn);
    composer.focusInput();
  },
  choose(turn) {
    composer.endEdit();
    chat.choose(shown(), turn);
    const all = siblings(shown(), turn);
    $("announce").textContent = `${t("variantLabel", all.indexOf(turn) + 1, all.length)}: ${turn.content}`;
  },
};

const withFeedback = {
  rate: (turn, rating) => send(turn, { rating, better: turn.better || null }),
  async better(turn) {
    if (!(await feedback.agree())) return;
    /** @type {Parameters<typeof ask>[0]} */
    const asked = { title: t("betterTitle"), note: t("betterNote"), yes: t("sendIt"), field: "area", max: feedback.MAX_CHARS };
    const better = await ask({ ...asked, value: turn.better || turn.content });
    const words = clean(better ?? "");
    if (words && words !== turn.content.trim()) await send(turn, { rating: turn.rating ?? null, better: words });
  },
};

async function send(turn, what) {
  const conversation = shown();
  if (!(await feedback.agree())) return;
  try {
    await feedback.send(conversation, turn, what);
    mention(t("thanks"));
    draw();
  } catch (error) {
    draw();
    drawTrouble(`${t("notSent")} ${errors.words(error)}`, () => send(turn, what));
  }
}

$("revoke").addEventListener("click", () => {
  feedback.revoke();
  mention(t("revoked"));
  draw();
});
