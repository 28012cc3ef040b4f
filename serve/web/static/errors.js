// What the page says about an answer that failed. The server's own messages are for programs, and in English.

import { t } from "./i18n.js";

const WORDS = {
  lost: "lost",
  broken: "broken",
  loading: "loading",
  busy: "busy",
  too_many_requests: "often",
  conversation_too_long: "tooLongToRead",
  engine_failed: "failed",
  internal_error: "failed",
  // in a room
  name_taken: "nameTaken",
  no_consent: "noConsent",
  character_not_found: "noConsent",
  model_not_loaded: "notLoaded", // on a page without a server
};

export const words = (error) => t(WORDS[error.code] ?? "unforeseen");

/** Whether asking the same again may help. */
export const mayPass = (error) =>
  !["conversation_too_long", "name_taken", "no_consent", "character_not_found"].includes(error.code);
