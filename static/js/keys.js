// "/" goes to the search field of any page. Single keys of the agents' console work only there, never while typing or
// composing with an input method, and not at all when the person has switched them off ([data-keys-switch], kept as
// localStorage "keys" = "off").
(() => {
  const find = (selector) => document.querySelector(selector);
  const areOff = () => localStorage.getItem("keys") === "off";
  // What other scripts of the console add: portalKeys.register("x", () => …), "Shift+X" with the shift key.
  const added = new Map();
  window.portalKeys = { register(keys, run) { added.set(keys, run); } };

  // A click, so that htmx sends along which button it was.
  function send(field, event) {
    (field.form.querySelector(event.shiftKey ? "[data-send-wait]" : "[data-send]") || field.form.querySelector("[data-send]"))?.click();
  }

  // A composer is chosen before the cursor goes into it: the other one is hidden.
  function compose(mode) {
    const radio = find(`[data-mode=${mode}]`);
    if (radio) radio.checked = true;
  }

  function toRow() {
    (find(".queue-row[aria-current]") || find(".queue-row"))?.focus();
  }

  // Open at once when it is there, with the cursor in its list.
  function handOver() {
    const menu = find("[data-key=t]")?.closest("details");
    if (!menu) return;
    menu.open = !menu.open;
    menu.querySelector(menu.open ? "select" : "summary").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const field = document.activeElement;
    const inConsole = document.body.matches(".console-body");
    if (inConsole && field.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send(field, event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
    const isTyping = field.matches("input:not([type=radio], [type=checkbox]), textarea, select");
    if (inConsole && event.key === "Escape" && !find("details.menu[open], .context.is-open")) {
      event.preventDefault();
      if (isTyping) field.blur();
      toRow();
      return;
    }
    if (isTyping || areOff()) return;
    const rows = [...document.querySelectorAll(".queue-row")];
    const at = rows.findIndex((row) => row === field) >= 0 ? rows.indexOf(field) : rows.findIndex((row) => row.hasAttribute("aria-current"));
    const keys = {
      "/": () => find("[data-key=search]")?.focus(),
      ...(inConsole && {
        j: () => rows[Math.min(rows.length - 1, at + 1)]?.focus(),
        k: () => rows[Math.max(0, at - 1)]?.focus(),
        r: () => { compose("reply"); find("[data-key=r]")?.focus(); },
        n: () => { compose("note"); find("[data-key=n]")?.focus(); },
        a: () => find("[data-key=a]")?.click(),
        t: handOver,
        e: () => { compose("reply"); find("[data-key=e]")?.focus(); },
        "?": () => find("#keys-dialog")?.showModal(),
        ...Object.fromEntries(added),
      }),
    };
    const name = event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
    if (keys[name]) {
      event.preventDefault();
      keys[name]();
    }
  });

  for (const choice of document.querySelectorAll("[data-keys-switch]")) {
    choice.checked = !areOff();
    choice.addEventListener("change", () => localStorage.setItem("keys", choice.checked ? "on" : "off"));
  }
})();
