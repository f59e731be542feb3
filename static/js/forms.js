// A form is sent once: its button is disabled and says so ("提交中…", data-sending on <body>) until the answer comes.
(() => {
  const before = new WeakMap();

  function wait(form, button) {
    form.dataset.sent = "yes";
    if (!button) return;
    // Disabled only after the browser has taken the button's name and value along.
    setTimeout(() => {
      if (!form.dataset.sent) return;
      before.set(button, [...button.childNodes]);
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      button.replaceChildren(document.body.dataset.sending);
    });
  }

  function release(form) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[aria-busy]")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
      button.replaceChildren(...(before.get(button) || []));
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (event.defaultPrevented) return; // htmx sends it, see below
    if (form.dataset.sent) event.preventDefault();
    else wait(form, event.submitter);
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (elt.matches?.("form") && requestConfig.verb === "post") wait(elt, requestConfig.triggeringEvent?.submitter);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.matches?.("form[data-sent]")) release(event.detail.elt);
  });
  // Back from the next page by the browser's cache.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
})();
