// What was written and not sent yet, for each conversation; those in which nothing was said share one, since they are one
// to the person and get a new id with every reload.

import * as store from "./store.js";

const name = (conversation) => `draft.${conversation.nodes.length ? conversation.id : "new"}`;

export const of = (conversation) => store.setting(name(conversation)) ?? "";
export const keep = (conversation, text) => store.saveSetting(name(conversation), text || null);
