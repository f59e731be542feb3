// Keys of every page ("/" searches) and of the agents' console. A command stands once in the sheet (templates/tickets/
// console_keys.html: data-command and its keys) and registers what it does here or in a file of its own:
//   portalKeys.register("t", () => …)   single keys, "Shift+J", or two after each other, "g m"
// Single keys never fire while typing, while an input method is composing, in an open dialog, or when the person switched
// them off ([data-keys-switch], kept as localStorage "keys" = "off"). The palette (js/palette.js) runs the same commands.
(() => {
  const SECOND_KEY_MS = 1200;
  const find = (selector) => document.querySelector(selector);
  const areOff = () => localStorage.getItem("keys") === "off";
  const commands = new Map();
  let first = "";
  let firstTimer = 0;

  window.portalKeys = {
    register(keys, run) { commands.set(keys, run); },
    run(keys) { commands.get(keys)?.(); },
    has: (keys) => commands.has(keys),
  };
  const { register } = window.portalKeys;

  // A click, so that htmx sends along which button it was.
  function send(field, event) {
    (field.form.querySelector(event.shiftKey ? "[data-send-wait]" : "[data-send]") || field.form.querySelector("[data-send]"))?.click();
  }

  // A composer is chosen before the cursor goes into it: the other one is hidden.
  function compose(mode) {
    const radio = find(`[data-mode=${mode}]`);
    if (!radio) return;
    radio.checked = true;
    find(mode === "note" ? "[data-key=n]" : "[data-key=r]").focus();
  }

  const rows = () => [...document.querySelectorAll(".queue-row")];
  // By the pane itself: the row is marked a moment after the pane has changed.
  const current = () => rows().findIndex((row) => row.dataset.number === document.getElementById("ticket-pane")?.dataset.number);
  function toRow() {
    (find(".queue-row[aria-current]") || find(".queue-row"))?.focus();
  }
  function step(by) {
    const all = rows();
    const at = all.indexOf(document.activeElement) >= 0 ? all.indexOf(document.activeElement) : current();
    all[Math.min(all.length - 1, Math.max(0, at + by))]?.focus();
  }
  function openNext(by) {
    const next = rows()[current() + by];
    next?.click();
    next?.scrollIntoView({ block: "nearest" });
  }
  // Open at once when it is there, with the cursor in its first control.
  function unfold(key) {
    const menu = find(`[data-key=${key}]`)?.closest("details");
    if (!menu) return;
    menu.open = !menu.open;
    const inside = menu.open && menu.querySelector("select, textarea, button");
    (inside || menu.querySelector("summary")).focus();
  }
  const press = (selector) => find(selector)?.click();

  if (find("[data-key=search]")) register("/", () => find("[data-key=search]").focus());
  if (document.body.matches(".console-body")) {
    register("j", () => step(1));
    register("k", () => step(-1));
    register("Shift+J", () => openNext(1));
    register("Shift+K", () => openNext(-1));
    register("g m", () => press("[data-view=mine]"));
    register("g u", () => press("[data-view=unassigned]"));
    register("g b", () => press("[data-view=breached]"));
    register("t", () => press("[data-key=t]"));
    register("a", () => unfold("a"));
    register("s", () => unfold("s"));
    register("p", () => unfold("p"));
    register("r", () => compose("reply"));
    register("n", () => compose("note"));
    register(".", () => press("[data-key=copy]"));
    register("?", () => find("#keys-dialog").showModal());
  }

  function named(event) {
    if (event.key.length > 1) return event.key;
    const key = event.key.toLowerCase();
    return event.shiftKey && key !== event.key.toUpperCase() ? `Shift+${key.toUpperCase()}` : key;
  }

  function isTyping(field) {
    return field.matches("input:not([type=radio], [type=checkbox]), textarea, select") || field.isContentEditable;
  }

  // Typing and dialogs first, then Escape on its way back from them to the row.
  function escape(event, field) {
    if (find("details.menu[open], .context.is-open")) return;
    event.preventDefault();
    if (isTyping(field)) field.blur();
    toRow();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const field = document.activeElement;
    const inConsole = document.body.matches(".console-body");
    const isCommand = event.ctrlKey || event.metaKey;
    if (inConsole && field.matches("textarea") && event.key === "Enter" && isCommand) {
      event.preventDefault();
      send(field, event);
      return;
    }
    if (isCommand && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && commands.has("Ctrl+K")) {
      event.preventDefault();
      commands.get("Ctrl+K")();
      return;
    }
    if (isCommand || event.altKey || find("dialog[open]")) return;
    if (inConsole && event.key === "Escape") {
      escape(event, field);
      return;
    }
    if (isTyping(field) || areOff()) return;
    const keys = first ? `${first} ${named(event)}` : named(event);
    clearTimeout(firstTimer);
    first = "";
    if (commands.has(keys)) {
      event.preventDefault();
      commands.get(keys)();
    } else if ([...commands.keys()].some((other) => other.startsWith(`${keys} `))) {
      first = keys;
      firstTimer = setTimeout(() => { first = ""; }, SECOND_KEY_MS);
    }
  });

  // A button that stands for another one: the composer's, whichever composer is shown.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-press]");
    if (!button) return;
    const menu = button.closest("details");
    if (menu) menu.open = false;
    compose("reply");
    find(button.dataset.press)?.focus();
  });

  for (const choice of document.querySelectorAll("[data-keys-switch]")) {
    choice.checked = !areOff();
    choice.addEventListener("change", () => localStorage.setItem("keys", choice.checked ? "on" : "off"));
  }
})();
