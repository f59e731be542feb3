// Many tickets at once: rows are selected with "x" (the row in focus, else the open one), "Shift+X" selects from the last
// one to there; with "多选" on, so does a click, and a click with Shift. What can be done with them is a form that the
// server draws ([data-bulk]); the selection is kept by number, so that it survives the queue's own changes. "u" takes the
// last step back, "l" opens the tags of the open ticket.
(() => {
  const place = document.querySelector("[data-bulk]");
  if (!place) return;
  const MOST = 100;
  const picked = new Set();
  let anchor = "";
  let isPicking = false;
  let isLoading = false;
  const rows = () => [...document.querySelectorAll(".queue-row")];
  const rowOf = (number) => document.querySelector(`.queue-row[data-number="${CSS.escape(number)}"]`);

  function show() {
    for (const row of rows()) row.toggleAttribute("data-picked", picked.has(row.dataset.number));
    place.hidden = picked.size === 0;
    for (const count of place.querySelectorAll("[data-bulk-count]")) count.textContent = picked.size;
    for (const field of place.querySelectorAll("[data-bulk-numbers]")) field.value = [...picked].join(",");
    const mode = document.querySelector("[data-pick-mode]");
    mode?.setAttribute("aria-pressed", String(isPicking));
    document.getElementById("queue")?.classList.toggle("is-picking", isPicking);
  }

  async function load() {
    if (isLoading || place.childElementCount) return;
    isLoading = true;
    await htmx.ajax("GET", place.dataset.bulk, { target: place, swap: "innerHTML" });
    isLoading = false;
  }

  function pick(row, isRange) {
    const all = rows();
    const from = isRange && rowOf(anchor) ? all.indexOf(rowOf(anchor)) : all.indexOf(row);
    const to = all.indexOf(row);
    if (isRange) {
      for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) picked.add(each.dataset.number);
    } else if (!picked.delete(row.dataset.number)) {
      picked.add(row.dataset.number);
    }
    for (const number of [...picked].slice(MOST)) picked.delete(number);
    anchor = row.dataset.number;
    load();
    show();
  }

  function clear() {
    picked.clear();
    isPicking = false;
    place.replaceChildren();
    show();
  }

  function pickCurrent(isRange) {
    const row = document.activeElement.closest?.(".queue-row") || document.querySelector(".queue-row[aria-current]") || document.querySelector(".queue-row");
    if (row) pick(row, isRange);
  }

  function undo() {
    htmx.ajax("POST", place.dataset.undo, { target: place, swap: "none" });
  }

  function openTags() {
    const details = document.querySelector("[data-key=l]")?.closest("details");
    if (!details) return;
    details.open = true;
    details.scrollIntoView({ block: "nearest" });
    details.querySelector("input").focus();
  }

  window.portalKeys.register("x", () => pickCurrent(false));
  window.portalKeys.register("Shift+X", () => pickCurrent(true));
  window.portalKeys.register("u", undo);
  window.portalKeys.register("l", openTags);

  // Before htmx opens the ticket.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick-mode]")) {
      isPicking = !isPicking;
      show();
      return;
    }
    const row = event.target.closest(".queue-row");
    if (!row || !isPicking || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    pick(row, event.shiftKey);
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-bulk-clear]")) clear();
    if (event.target.closest("[data-bulk-all]")) {
      for (const row of rows().slice(0, MOST)) picked.add(row.dataset.number);
      show();
    }
  });
  // Escape leaves a selection first; the keys of the console come after.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || place.hidden || document.querySelector("dialog[open], details.menu[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    const number = anchor;
    clear();
    (rowOf(number) || document.querySelector(".queue-row"))?.focus();
  }, true);

  // What was done is done: only what was refused stays selected.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id === "bulk" && event.detail.elt.hasAttribute("data-done")) {
      const refused = [...place.querySelectorAll(".bulk__refused a")].map((link) => link.textContent.trim());
      picked.clear();
      for (const number of refused) picked.add(number);
      show();
      place.hidden = false;
      return;
    }
    show();
  });
  new MutationObserver(show).observe(document.querySelector(".console"), { childList: true, subtree: true });
})();
