// The unsent draft of each conversation. Empty conversations share one: they look the same to the visitor, and get a new
// id with every reload.

import * as store from "./store.js";

const name = (conversation) => `draft.${conversation.nodes.length ? conversation.id : "new"}`;

export const of = (conversation) => store.setting(name(conversation)) ?? "";
export const keep = (conversation, text) => store.saveSetting(name(conversation), text || null);
