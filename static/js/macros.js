// Macros and canned replies beside an open ticket. "/" at the beginning of a word in the reply's composer lists them by
// shortcut and name; a canned reply is put in at the cursor, a macro shows what it would do in a dialog first.
(() => {
  let known = { address: "", macros: null };
  let slash = null; // {field, start, found, at}

  const box = () => document.querySelector("[data-macros]");
  const menu = () => document.querySelector("[data-slash]");
  const toast = (text) => document.dispatchEvent(new CustomEvent("portal:toast", { detail: { text, tone: "error" } }));
  const failed = () => toast(document.body.dataset.failed);

  async function list() {
    const address = box()?.dataset.macros;
    if (!address) return [];
    if (known.address !== address || !known.macros) {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(String(answer.status));
      known = { address, macros: (await answer.json()).macros };
    }
    return known.macros;
  }

  function insert(field, text, start, end) {
    const gap = start && !/\s$/.test(field.value.slice(0, start)) ? "\n" : "";
    field.setRangeText(gap + text, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  async function put(macro, field, start, end) {
    try {
      const answer = await fetch(`${macro.url}?text=1`);
      const said = await answer.json();
      if (answer.ok) insert(field, said.text, start, end);
      else toast(said.error);
    } catch {
      failed();
    }
  }

  async function preview(macro) {
    const reply = document.getElementById("id_body");
    const dialog = document.getElementById("macro-dialog");
    try {
      await htmx.ajax("GET", `${macro.url}?${new URLSearchParams({ draft: reply?.value ?? "" })}`, { target: "#macro-preview", swap: "innerHTML" });
      dialog.showModal();
    } catch {
      failed();
    }
  }

  function use(macro, field, start, end) {
    const reply = field ?? document.getElementById("id_body");
    if (!reply) return;
    if (!macro.replies) {
      preview(macro);
      return;
    }
    document.querySelector("[data-mode=reply]").checked = true;
    put(macro, reply, start ?? reply.selectionStart, end ?? reply.selectionEnd);
  }

  function close() {
    slash = null;
    if (!menu()) return;
    menu().hidden = true;
    document.getElementById("id_body")?.removeAttribute("aria-activedescendant");
  }

  function mark(at) {
    slash.at = (at + slash.found.length) % slash.found.length;
    [...menu().children].forEach((option, number) => option.setAttribute("aria-selected", String(number === slash.at)));
    slash.field.setAttribute("aria-activedescendant", `slash-${slash.at}`);
    menu().children[slash.at].scrollIntoView({ block: "nearest" });
  }

  function choose(number) {
    const { field, start, found } = slash;
    const end = field.selectionStart;
    close();
    const macro = found[number];
    if (!macro.replies) field.setRangeText("", start, end, "end");
    use(macro, field, start, end);
  }

  async function look(field) {
    const before = field.value.slice(0, field.selectionStart);
    const typed = before.match(/(?:^|\s)\/([^\s/]{0,30})$/u);
    if (!typed) {
      close();
      return;
    }
    let found;
    try {
      found = await list();
    } catch {
      return; // The words stay what they are.
    }
    const word = typed[1].toLowerCase();
    found = found.filter((macro) => macro.shortcut.toLowerCase().startsWith(word) || macro.name.toLowerCase().includes(word)).slice(0, 8);
    if (!found.length || document.activeElement !== field) {
      close();
      return;
    }
    slash = { field, start: before.length - typed[1].length - 1, found, at: 0 };
    menu().replaceChildren(...found.map((macro, number) => {
      const option = document.createElement("div");
      option.id = `slash-${number}`;
      option.setAttribute("role", "option");
      option.append(macro.name, Object.assign(document.createElement("span"), { className: "u-hint", textContent: macro.shortcut && `/${macro.shortcut}` }));
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        choose(number);
      });
      return option;
    }));
    menu().hidden = false;
    mark(0);
  }

  const isReply = (field) => field.matches?.("[data-drafts] textarea[data-kind=reply]");
  document.addEventListener("input", (event) => {
    if (isReply(event.target) && !event.isComposing) look(event.target);
  });
  document.addEventListener("compositionend", (event) => { if (isReply(event.target)) look(event.target); });
  // Before the keys of the console: Escape closes the list, not the composer.
  document.addEventListener("keydown", (event) => {
    if (!slash || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey) return;
    const keys = { ArrowDown: () => mark(slash.at + 1), ArrowUp: () => mark(slash.at - 1), Enter: () => choose(slash.at), Tab: () => choose(slash.at), Escape: close };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }, true);
  document.addEventListener("focusout", (event) => { if (isReply(event.target)) close(); });
  // The preview may send its words to the composer only, to be worked on.
  document.addEventListener("click", (event) => {
    const only = event.target.closest("[data-macro-fill]");
    const reply = document.getElementById("id_body");
    if (!only || !reply) return;
    only.closest("dialog").close();
    document.querySelector("[data-mode=reply]").checked = true;
    insert(reply, only.dataset.macroFill, reply.value.length, reply.value.length);
  });

  window.portalMacros = { list, use };
})();
