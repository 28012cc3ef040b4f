// Line icons drawn for this page on a 24 × 24 grid. They are decoration: the button around one carries the label.

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  down: "M12 5v14m-6-6 6 6 6-6",
  pencil: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  bin: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  save: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  again: "M19 6v5h-5M19 11a7.5 7.5 0 1 0 0 4",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
  left: "M14.5 6l-6 6 6 6",
  right: "M9.5 6l6 6-6 6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  "thumb-up": "M8 10.5v9H4.5v-9zM8 18.5l1.5 1h6.7a2 2 0 0 0 2-1.6l1.2-5.5a1.6 1.6 0 0 0-1.6-1.9h-4.6l.6-4a1.8 1.8 0 0 0-3.3-1.2L8 10.5",
  "thumb-down": "M8 13.5v-9H4.5v9zM8 5.5l1.5-1h6.7a2 2 0 0 1 2 1.6l1.2 5.5a1.6 1.6 0 0 1-1.6 1.9h-4.6l.6 4a1.8 1.8 0 0 1-3.3 1.2L8 13.5",
  quote: "M4 5h16v11h-8l-4 4v-4H4zM8.5 9.5h7M8.5 12.5h4",
  forward: "M5 12h13m-5-5 5 5-5 5",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v5",
  speaker: "M4 10v4h3l5 4V6L7 10zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  gear: "M4 8h8M18 8h2M15 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM4 16h2M12 16h8M9 13.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  memory: "M6 4h12v16l-6-4-6 4zM9 8.5h6",
  upload: "M12 20V9m-5 5 5-5 5 5M5 4h14",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM5 20a7 7 0 0 1 14 0",
  file: "M6 3.5h8l4 4V20.5H6zM14 3.5V8h4M9 12h6M9 15.5h6",
  moon: "M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Draw the icon of every element with data-icon. */
export function drawIcons(root = document) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-icon]"))) element.prepend(icon(element.dataset.icon));
}

/** A small button with an icon and a label. */
export function iconButton(name, label, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(icon(name));
  button.addEventListener("click", onClick);
  return button;
}
