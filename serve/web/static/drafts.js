// The unsent draft of each conversation. Empty conversations share one: they look the same to the visitor, and get a new
// id with every reload.

import { saveSetting, setting } from "./settings.js";

const name = (one) => `draft.${one.nodes?.length === 0 ? "new" : one.id}`; // what the list has of one, it has without its turns

export const of = (conversation) => setting(name(conversation)) ?? "";
export const keep = (conversation, text) => saveSetting(name(conversation), text || null);
