// What the page says about an answer that did not come. The server's own sentences are for programs, and in English.

import { t } from "./i18n.js";

const WORDS = {
  lost: "lost",
  broken: "broken",
  loading: "loading",
  busy: "busy",
  too_many_requests: "often",
  conversation_too_long: "tooLongForHim",
  engine_failed: "failed",
  internal_error: "failed",
};

export const words = (error) => t(WORDS[error.code] ?? "unforeseen");

/** Whether asking the same once more may help. */
export const mayPass = (error) => error.code !== "conversation_too_long";
