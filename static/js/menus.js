// The drawer of phones, copy buttons, dialogs, menus that close, and the console's keys.
(() => {
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) {
      const open = document.querySelector(toggle.dataset.toggle).classList.toggle("is-open");
      toggle.setAttribute("aria-expanded", String(open));
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy);
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.querySelector(opener.dataset.dialog).showModal();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Single keys work only in the console, never while typing or composing with an input method.
  document.addEventListener("keydown", (event) => {
    if (!document.body.matches(".console-body") || event.isComposing || event.keyCode === 229) return;
    const field = document.activeElement;
    if (field.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      field.form.requestSubmit(field.form.querySelector(event.shiftKey ? "[data-send-wait]" : "[data-send]"));
      return;
    }
    if (field.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key === "Escape") field.blur();
      return;
    }
    const rows = [...document.querySelectorAll(".queue-row")];
    const at = rows.findIndex((row) => row === field || row.hasAttribute("aria-current"));
    const keys = {
      j: () => rows[Math.min(rows.length - 1, at + 1)]?.focus(),
      k: () => rows[Math.max(0, at - 1)]?.focus(),
      r: () => document.querySelector("[data-key=r]")?.focus(),
      n: () => document.querySelector("[data-key=n]")?.focus(),
      a: () => document.querySelector("[data-key=a]")?.click(),
      e: () => document.querySelector("[data-key=e]")?.focus(),
      "/": () => document.querySelector("[data-key=search]")?.focus(),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
