// The few lines that every drawing module needs. Text only ever becomes a text node, never HTML.

export const $ = (id) => document.getElementById(id);

export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
