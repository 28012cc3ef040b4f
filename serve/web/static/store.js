// Conversations in the browser's storage, one key each, so that two open tabs do not overwrite each other's.
// A conversation is {id, title, created, updated, messages: [{role, content, state?, dropped?}]}.

const PREFIX = "inosuke.conversation.";

/** Where storage is forbidden or full the page goes on, and `onProblem` is told once a time. */
let onProblem = () => {};
export const whenStorageFails = (callback) => {
  onProblem = callback;
};

export function all() {
  const found = [];
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (key.startsWith(PREFIX)) found.push(parse(localStorage.getItem(key)));
    }
  } catch (error) {
    onProblem(error);
  }
  return found.filter(Boolean).sort((a, b) => b.updated - a.updated);
}

export const create = () => ({
  id: Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join(""),
  title: "",
  created: Date.now(),
  updated: Date.now(),
  messages: [],
});

/** Save a conversation that has messages; an empty one is not worth a place in the list. */
export function save(conversation) {
  if (!conversation.messages.length) return;
  write(PREFIX + conversation.id, JSON.stringify(conversation));
}

export function remove(id) {
  try {
    localStorage.removeItem(PREFIX + id);
  } catch (error) {
    onProblem(error);
  }
}

export function setting(name) {
  try {
    return localStorage.getItem(`inosuke.${name}`);
  } catch {
    return null; // a setting that cannot be read is one that was never made
  }
}

export const saveSetting = (name, value) => write(`inosuke.${name}`, value);

/** Call back when another tab has changed a conversation. */
export function watch(callback) {
  addEventListener("storage", (event) => {
    if (event.key === null || event.key.startsWith(PREFIX)) callback();
  });
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch (error) {
    onProblem(error);
  }
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value?.messages) ? value : null;
  } catch {
    return null; // not ours, or cut short: leave it where it is and show the rest
  }
}
