// Copies a text. Browsers offer their clipboard on https and on this machine alone; elsewhere the old command still works.

/** Copy a text; resolves to whether it worked. */
export async function copyText(text) {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // The permission was refused; the old way needs none.
  }
  return copyAsBefore(text);
}

function copyAsBefore(text) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const box = document.createElement("textarea");
  box.value = text;
  box.readOnly = true; // no keyboard on a phone
  box.className = "hidden";
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  focused?.focus({ preventScroll: true });
  return done;
}
