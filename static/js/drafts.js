// Drafts of the agents' composers, kept by the server: [data-drafts] names the address, data-draft-version on a textarea the
// version that it shows. js/composer.js keeps what is typed in this browser; here it goes to the server, and leaves the
// browser once the server has it. A version that another device saved is never overwritten unasked: a hint offers both texts.
(() => {
  const QUIET_MS = 700;
  const RETRY_MS = 5000;
  const device = (sessionStorage.device ??= Math.random().toString(36).slice(2) + Date.now().toString(36));
  const states = new WeakMap(); // of each textarea: what the server has, what is on its way, what it offers
  const inPage = () => document.querySelectorAll("[data-drafts] textarea[data-draft]");
  const box = (field) => field.closest("[data-drafts]");
  const hint = (field) => field.form.querySelector("[data-draft-hint]");
  const localKey = (field) => `draft:${field.dataset.draft}`;
  const baseKey = (field) => `draft-base:${field.dataset.draft}`;

  function stateOf(field) {
    if (!states.has(field)) states.set(field, { kept: field.defaultValue, timer: 0, sending: null, offer: null });
    return states.get(field);
  }

  function forget(field) {
    localStorage.removeItem(localKey(field));
    localStorage.removeItem(baseKey(field));
  }

  function say(field, word, time = "") {
    const place = box(field)?.querySelector("[data-draft-state]");
    if (place) place.textContent = word ? [place.dataset[word], time].filter(Boolean).join(" ") : "";
  }

  function data(field) {
    const form = new FormData();
    form.set("kind", field.dataset.kind);
    form.set("body", field.value);
    form.set("base", field.dataset.draftVersion);
    form.set("seen", field.form.elements.seen?.value || 0);
    form.set("device", device);
    form.set("csrfmiddlewaretoken", field.form.elements.csrfmiddlewaretoken.value);
    return form;
  }

  function offer(field, found) {
    const place = hint(field);
    stateOf(field).offer = found;
    place.querySelector("[data-hint-time]").textContent = found.saved;
    place.hidden = false;
  }

  // The server's text and version take the place of what the field shows.
  function take(field, found) {
    const state = stateOf(field);
    clearTimeout(state.timer);
    state.offer = null;
    state.kept = found.body ?? "";
    field.value = state.kept;
    field.dataset.draftVersion = found.version;
    forget(field);
    hint(field).hidden = true;
  }

  function accepted(field, text, found) {
    stateOf(field).kept = text;
    field.dataset.draftVersion = found.version;
    if (field.value === text) forget(field);
    say(field, text ? "saved" : "", new Date().toLocaleTimeString("zh-CN", { hour12: false }));
  }

  function refused(field, found) {
    if (found.version) offer(field, found);
    else {
      // Sent or emptied elsewhere: what stands here goes on as a new draft, if the person types on.
      field.dataset.draftVersion = 0;
      say(field, "gone");
    }
  }

  async function save(field) {
    const state = stateOf(field);
    if (state.sending) await state.sending;
    if (!field.isConnected || state.offer || field.value === state.kept) return;
    const text = field.value;
    state.sending = fetch(box(field).dataset.drafts, { method: "POST", body: data(field), keepalive: document.hidden })
      .then(async (answer) => {
        if (answer.status === 200) accepted(field, text, await answer.json());
        else if (answer.status === 409) refused(field, await answer.json());
        else throw new Error(String(answer.status));
      })
      .catch(() => {
        if (!field.isConnected) return;
        say(field, "kept");
        later(field, RETRY_MS);
      })
      .finally(() => { state.sending = null; });
    await state.sending;
  }

  function later(field, wait = QUIET_MS) {
    const state = stateOf(field);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => save(field), wait);
  }

  // What the server has now, after this page was looked away from.
  async function compare() {
    const fields = [...inPage()];
    if (!fields.length) return;
    let found;
    try {
      const answer = await fetch(box(fields[0]).dataset.drafts);
      if (!answer.ok) return;
      found = await answer.json();
    } catch {
      return; // No connection: the next save says so.
    }
    for (const field of fields) {
      const state = stateOf(field);
      const theirs = found[field.dataset.kind] || { version: 0, body: "" };
      if (!field.isConnected || state.sending || theirs.version === Number(field.dataset.draftVersion)) continue;
      if (field.value === state.kept) {
        take(field, theirs);
        say(field, theirs.version ? "taken" : "gone");
      } else if (theirs.version) offer(field, theirs);
      else refused(field, theirs);
    }
  }

  // Words that this browser kept because the server could not be reached are on their way to it again, unless another
  // device went on meanwhile.
  function begin() {
    for (const field of inPage()) {
      if (states.has(field)) continue;
      const state = stateOf(field);
      const isRefused = field.form.querySelector(".unseen, .field__error");
      state.kept = isRefused || field.dataset.draftVersion === "0" ? "" : field.defaultValue;
      const local = localStorage.getItem(localKey(field));
      if (local && local !== field.value) {
        const isOlder = Number(localStorage.getItem(baseKey(field))) !== Number(field.dataset.draftVersion);
        if (isOlder && field.value) offer(field, { version: field.dataset.draftVersion, body: field.value, saved: "" });
        field.value = local;
      }
      if (field.value !== state.kept) later(field);
    }
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-drafts] textarea[data-draft]")) return;
    const state = stateOf(field);
    // A reply that is begun now has read what stands in the thread now.
    if (!state.typed && !state.kept && field.form.elements.seen) {
      field.form.elements.seen.value = Math.max(field.form.elements.seen.value, document.getElementById("console-thread").dataset.last);
    }
    state.typed = Boolean(field.value);
    localStorage.setItem(baseKey(field), field.dataset.draftVersion);
    later(field);
  });
  document.addEventListener("click", (event) => {
    const place = event.target.closest("[data-draft-hint]");
    const field = place?.closest("form").querySelector("textarea[data-draft]");
    if (!field) return;
    const state = stateOf(field);
    if (event.target.closest("[data-hint-take]")) {
      take(field, state.offer);
      say(field, "taken");
      field.focus();
    } else if (event.target.closest("[data-hint-keep]")) {
      field.dataset.draftVersion = state.offer.version;
      state.offer = null;
      place.hidden = true;
      save(field);
      field.focus();
    }
  });
  // A save that is under way must not arrive after the message: the message waits for it.
  document.addEventListener("htmx:confirm", (event) => {
    const field = event.detail.elt.querySelector?.("[data-drafts] textarea[data-draft]");
    if (!field) return;
    const state = stateOf(field);
    clearTimeout(state.timer);
    if (!state.sending) return;
    event.preventDefault();
    state.sending.then(() => event.detail.issueRequest(true));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const field = event.detail.elt.matches?.("form.composer") && event.detail.elt.querySelector("textarea[data-draft]");
    if (field?.isConnected && !event.detail.successful) later(field);
  });
  // Whoever leaves, for another ticket or another page, leaves nothing behind.
  function flush() {
    for (const field of inPage()) {
      const state = stateOf(field);
      if (field.value === state.kept || state.offer || state.sending) continue;
      clearTimeout(state.timer);
      save(field);
    }
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target.id === "ticket-pane" && event.detail.requestConfig.verb === "get") flush();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? flush() : compare()));
  window.addEventListener("focus", compare);
  window.addEventListener("online", () => inPage().forEach((field) => later(field, 0)));
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
