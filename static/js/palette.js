// Ctrl+K: commands of the sheet, tickets and macros by keyboard alone, as an ARIA combobox with a listbox. [data-macros-open]
// and "m" open it with the macros. Nothing runs while an input method is composing.
(() => {
  const ASK_AFTER_MS = 150;
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  let choices = [];
  let at = 0;
  let mode = "all";
  let timer = 0;
  let asked = 0;
  let field = null; // the composer that a canned reply goes into

  const fits = (text, words) => words.every((word) => text.toLowerCase().includes(word));

  function commands(words) {
    return [...document.querySelectorAll("#keys-dialog [data-command]")]
      .filter((row) => window.portalKeys.has(row.dataset.command) && row.dataset.command !== "Ctrl+K")
      .map((row) => ({ label: row.nextElementSibling.textContent, hint: row.textContent.trim().replace(/\s+/g, " "), run: () => window.portalKeys.run(row.dataset.command) }))
      .filter((choice) => fits(choice.label, words));
  }

  async function macros(words) {
    const found = await window.portalMacros.list();
    return found
      .filter((macro) => fits(`${macro.name} /${macro.shortcut}`, words))
      .map((macro) => ({ label: macro.name, hint: [macro.shortcut && `/${macro.shortcut}`, macro.hint].filter(Boolean).join(" · "), run: () => window.portalMacros.use(macro, field) }));
  }

  async function tickets(text) {
    if ([...text].length < 2) return [];
    const answer = await fetch(`${dialog.dataset.find}?${new URLSearchParams({ q: text })}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const { tickets: found } = await answer.json();
    return found.map((ticket) => ({ label: ticket.title, hint: `${ticket.number} · ${ticket.customer}`, run: () => { location.href = ticket.url; } }));
  }

  function mark(place) {
    at = Math.max(0, Math.min(choices.length - 1, place));
    [...list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    const chosen = list.children[at];
    if (chosen) {
      input.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function show(found, word = "") {
    choices = found;
    list.replaceChildren(...found.map((choice, number) => {
      const option = document.createElement("li");
      option.id = `palette-${number}`;
      option.setAttribute("role", "option");
      const hint = Object.assign(document.createElement("span"), { className: "u-hint", textContent: choice.hint });
      option.append(Object.assign(document.createElement("span"), { className: "u-clip", textContent: choice.label }), hint);
      option.addEventListener("click", () => run(number));
      return option;
    }));
    status.textContent = word || (found.length ? "" : status.dataset.nothing);
    mark(0);
  }

  async function look() {
    const mine = ++asked;
    const text = input.value.trim();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const first = mode === "all" ? commands(words) : [];
    if (mode === "all") show(first, [...text].length < 2 ? "" : status.dataset.searching);
    try {
      const more = mode === "all" ? await tickets(text) : await macros(words);
      if (mine === asked) show([...first, ...more]);
    } catch {
      if (mine === asked) show(first, status.dataset.failed);
    }
  }

  function run(number) {
    const choice = choices[number];
    if (!choice) return;
    dialog.close();
    choice.run();
  }

  function open(what) {
    if (document.querySelector("dialog[open]")) return;
    field = document.activeElement?.closest?.("[data-drafts] textarea[data-kind=reply]") ?? null;
    mode = what;
    input.value = "";
    input.placeholder = dialog.dataset[what];
    input.setAttribute("aria-label", dialog.dataset[what]);
    show([]);
    status.textContent = "";
    dialog.showModal();
    look();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, ASK_AFTER_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 };
    if (event.key in moves) {
      event.preventDefault();
      mark(moves[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(at);
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-macros-open]")) open("macros");
    else if (event.target.closest("[data-palette-open]")) open("all");
  });
  window.portalKeys.register("Ctrl+K", () => open("all"));
  window.portalKeys.register("m", () => { if (document.querySelector("[data-macros]")) open("macros"); });
})();
