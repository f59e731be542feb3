// The leads' wall by keyboard: j and k choose a ticket, a goes to the list of people, Enter there hands over. A fresh copy
// of the wall keeps what is chosen, and waits while the list of people is in use.
(() => {
  const board = () => document.getElementById("wall-board");
  const people = () => document.getElementById("wall-assignee");
  let chosen = "";

  function choose(step) {
    const rows = [...document.querySelectorAll("[data-wall-row] input")];
    const at = rows.findIndex((radio) => radio.checked);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    next.checked = true;
    next.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys") === "off") return;
    const field = document.activeElement;
    if (field === people() && event.key === "Enter" && field.value) {
      event.preventDefault();
      field.form.requestSubmit();
      return;
    }
    if (field.matches("input:not([type=radio]), textarea, select")) return;
    const keys = { j: () => choose(1), k: () => choose(-1), a: () => people()?.focus() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== board()) return;
    const isPolled = event.detail.requestConfig.verb === "get";
    if (isPolled && document.activeElement === people()) event.detail.shouldSwap = false;
    chosen = isPolled ? (board().querySelector("[name=number]:checked")?.id ?? "") : "";
  });
  document.addEventListener("htmx:afterSwap", () => {
    const radio = chosen && document.getElementById(chosen);
    if (radio) radio.checked = true;
  });
})();
