// "/" goes to the search field of any page. Single keys of the agents' console work only there, never while typing or
// composing with an input method, and not at all when the person has switched them off (localStorage "keys" = "off").
(() => {
  const find = (selector) => document.querySelector(selector);

  function send(field, event) {
    field.form.requestSubmit(field.form.querySelector(event.shiftKey ? "[data-send-wait]" : "[data-send]"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const field = document.activeElement;
    const inConsole = document.body.matches(".console-body");
    if (inConsole && field.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      send(field, event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (field.matches("input:not([type=radio], [type=checkbox]), textarea, select") || find("dialog[open]")) {
      if (inConsole && event.key === "Escape") field.blur();
      return;
    }
    if (localStorage.getItem("keys") === "off") return;
    const rows = [...document.querySelectorAll(".queue-row")];
    const at = rows.findIndex((row) => row === field) >= 0 ? rows.indexOf(field) : rows.findIndex((row) => row.hasAttribute("aria-current"));
    const keys = {
      "/": () => find("[data-key=search]")?.focus(),
      ...(inConsole && {
        j: () => rows[Math.min(rows.length - 1, at + 1)]?.focus(),
        k: () => rows[Math.max(0, at - 1)]?.focus(),
        r: () => find("[data-key=r]")?.focus(),
        n: () => find("[data-key=n]")?.focus(),
        a: () => find("[data-key=a]")?.click(),
        e: () => find("[data-key=e]")?.focus(),
        "?": () => find("#keys-dialog")?.showModal(),
      }),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
