// Runs before the first paint. The choice is "light", "dark" or absent, which follows the system.
(() => {
  /** @type {string | null} */
  let chosen = null;
  try {
    chosen = localStorage.getItem("inosuke.theme");
  } catch {
    // A browser may forbid storage altogether; the system's choice counts then.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
