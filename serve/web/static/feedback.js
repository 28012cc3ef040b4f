// Feedback on a reply, for the makers of the character. Nothing leaves the browser before the visitor has agreed, and then
// only the reply and the message before it.

import { ask } from "./dialog.js";
import { t } from "./i18n.js";
import { saveSetting, setting } from "./settings.js";
import * as store from "./store.js";
import { ChatError, refusal } from "./stream.js";
import { clean } from "./text.js";
import { request } from "./transport.js";
import { turnBefore } from "./tree.js";

/** @import { Turn } from "./tree.js" */

const SETTING = "feedback-consent";
export const MAX_CHARS = 4000;

export const agreed = () => setting(SETTING) === "yes";
export const revoke = () => saveSetting(SETTING, null);

/** Whether the visitor agrees; asked once, and stored. */
export async function agree() {
  if (agreed()) return true;
  const yes = await ask({ title: t("consentTitle"), note: t("consentNote"), yes: t("consentYes") });
  if (yes !== null) saveSetting(SETTING, "yes");
  return yes !== null;
}

/** Whether there is something to give feedback on: a message and a reply to it. */
export const possible = (before, reply) => before?.role === "user" && clean(before.content) !== "" && clean(reply.content) !== "";

/** Send a rating (or null, to withdraw it) and a better answer (or null). Raises ChatError. */
export async function send(conversation, reply, { rating = null, better = null }) {
  const said = /** @type {Turn} */ (turnBefore(conversation, reply));
  const messages = [said, reply].map(({ role, content }) => ({ role, content: clean(content.slice(0, MAX_CHARS)) }));
  let response;
  try {
    response = await request("api/feedback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      // The turn's id, and not its number, which can differ between tabs.
      body: JSON.stringify({ conversation: conversation.id, turn: reply.id, rating, better, messages, consent: true }),
    });
  } catch (error) {
    throw new ChatError("lost", String(error));
  }
  if (!response.ok) throw await refusal(response);
  Object.assign(reply, { rating, better: better ?? "", time: Date.now() });
  store.save(conversation, [reply]);
}
