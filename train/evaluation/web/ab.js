// The blind page: keeps votes in this browser and saves them as a JSON file for `inosuke evaluate --votes FILE`.
"use strict";
(() => {
  const page = document.body.dataset.page;
  const key = `inosuke-votes-${page}`;
  const pairs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".pair")]);
  const name = /** @type {HTMLInputElement} */ (document.getElementById("annotator"));
  /** @param {HTMLElement} pair */
  const choices = (pair) => /** @type {NodeListOf<HTMLElement>} */ (pair.querySelectorAll("button"));
  let state = { annotator: "", votes: {} };
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    if (kept && typeof kept.votes === "object") state = kept;
  } catch {
    // Storage may be disabled or hold other data: votes then last as long as the page is open.
  }
  let current = 0;

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch {
      // As above.
    }
  }

  function show() {
    for (const pair of pairs) {
      const chosen = state.votes[pair.dataset.pair];
      for (const button of choices(pair)) {
        button.setAttribute("aria-pressed", String(button.dataset.choice === chosen));
      }
    }
    const done = pairs.filter((pair) => state.votes[pair.dataset.pair]).length;
    /** @type {HTMLElement} */ (document.getElementById("count")).textContent = `${done} of ${pairs.length}`;
  }

  function go(index) {
    if (!pairs.length) return;
    pairs[current].classList.remove("current");
    current = Math.max(0, Math.min(index, pairs.length - 1));
    pairs[current].classList.add("current");
    pairs[current].scrollIntoView({ block: "nearest" });
  }

  function vote(index, choice) {
    state.votes[pairs[index].dataset.pair] = choice;
    keep();
    show();
  }

  pairs.forEach((pair, index) => {
    for (const button of choices(pair)) {
      button.addEventListener("click", () => {
        go(index);
        vote(index, button.dataset.choice);
      });
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.target === name || event.ctrlKey || event.metaKey || event.altKey || !pairs.length) return;
    const choice = { 1: "a", 2: "b", 3: "same", 4: "neither" }[event.key];
    if (choice) {
      vote(current, choice);
      go(current + 1);
    } else if (event.key === "j") go(current + 1);
    else if (event.key === "k") go(current - 1);
  });

  name.value = state.annotator;
  name.addEventListener("input", () => {
    name.setCustomValidity("");
    state.annotator = name.value;
    keep();
  });

  document.getElementById("save")?.addEventListener("click", () => {
    if (!name.value.trim()) {
      name.setCustomValidity("Whose votes are these?");
      name.reportValidity();
      return;
    }
    const votes = pairs
      .map((pair) => ({ pair: pair.dataset.pair, choice: state.votes[pair.dataset.pair] }))
      .filter((v) => v.choice);
    const content = { page, annotator: name.value.trim(), votes };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
    link.download = `votes-${page}-${name.value.trim().replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });

  show();
  const first = pairs.findIndex((pair) => !state.votes[pair.dataset.pair]);
  go(first < 0 ? 0 : first);
})();
