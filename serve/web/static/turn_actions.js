// What the buttons under a turn do: edit, answer again, continue, choose a version, delete, read aloud, give feedback.

import * as chat from "./chat.js";
import * as composer from "./composer.js";
import { ask } from "./dialog.js";
import { $ } from "./dom.js";
import * as errors from "./errors.js";
import * as feedback from "./feedback.js";
import { t } from "./i18n.js";
import * as memory from "./memory.js";
import * as server from "./server.js";
import { draw, shown } from "./session.js";
import * as speech from "./speech.js";
import { clean } from "./text.js";
import { mention } from "./toast.js";
import { siblings } from "./tree.js";
import { drawTrouble } from "./trouble.js";
import { toNewest } from "./view.js";

/** The actions; those of the server only where it offers them. */
export const turnActions = () => ({
  ...always,
  ...(server.continues() && { resume }),
  ...(server.info()?.feedback && withFeedback),
});

export function edit(turn) {
  composer.startEdit(turn);
  draw();
}

/** Put other words in the place of a reply, and tell so after what was done `before`. */
export function rewrite(turn, text, before = "") {
  if (!text || text === turn.content || chat.isRunning(shown())) return;
  undoable(`${before} ${t("rewritten")}`.trim(), chat.rewrite(shown(), turn, text));
}

/** Tell what was done, with a button that undoes it where there is something to undo. */
function undoable(text, undo) {
  mention(text, undo && { label: t("undo"), act: undo });
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
  menu: (turn) => [
    ...(turn.role === "assistant" ? [{ icon: "pencil", label: t("edit"), act: () => edit(turn) }] : []),
    ...(turn.role === "assistant" && speech.possible() ? [aloud(turn)] : []),
    ...(server.remembers() ? [{ icon: "pin", label: t("pin"), act: () => pin(turn) }] : []),
    { icon: "bin", label: t("removeTurn"), act: () => remove(turn), danger: true },
  ],
};

const aloud = (turn) =>
  speech.isSpeaking()
    ? { icon: "close", label: t("silence"), act: speech.stop }
    : { icon: "speaker", label: t("readAloud"), act: () => speech.read(turn.content) };

function pin(turn) {
  memory.pin(shown(), turn.content);
  mention(t("pinned"));
}

function remove(turn) {
  if (chat.isRunning(shown())) return;
  composer.endEdit();
  undoable(t("removedTurn"), chat.removeTurn(shown(), turn));
  composer.focusInput();
}

function resume(turn) {
  composer.endEdit();
  toNewest();
  chat.resumeReply(shown(), turn);
  composer.focusInput();
}

const withFeedback = {
  rate: (turn, rating) => send(turn, { rating, better: turn.better || null }),
  async better(turn) {
    if (!(await feedback.agree())) return;
    /** @type {Parameters<typeof ask>[0]} */
    const asked = { title: t("betterTitle"), note: t("betterNote"), yes: t("sendIt"), field: "area", max: feedback.MAX_CHARS };
    const better = await ask({ ...asked, value: turn.better || turn.content });
    const words = clean(better ?? "");
    if (!words || words === turn.content.trim()) return;
    await send(turn, { rating: turn.rating ?? null, better: words }, () => rewrite(turn, words, t("thanks")));
  },
};

async function send(turn, what, sent = () => {}) {
  const conversation = shown();
  if (!(await feedback.agree())) return;
  try {
    await feedback.send(conversation, turn, what);
    mention(t("thanks"));
    if (conversation === shown()) sent();
    draw();
  } catch (error) {
    draw();
    drawTrouble(`${t("notSent")} ${errors.words(error)}`, () => send(turn, what, sent));
  }
}

$("revoke").addEventListener("click", () => {
  feedback.revoke();
  mention(t("revoked"));
  draw();
});
