// A form is sent once: its button says so until the answer comes. Character counters and auto-submitting filters.
(() => {
  const waiting = document.documentElement.lang === "en" ? "Sending…" : "提交中…";

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.dataset.sent) {
      if (form.dataset.sent) event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    // Disabled only after the browser has taken the button's name and value along.
    if (button) setTimeout(() => { button.disabled = true; button.dataset.label = button.textContent; button.textContent = waiting; });
  });

  function release() {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[data-label]")) {
      button.disabled = false;
      button.textContent = button.dataset.label;
      delete button.dataset.label;
    }
  }
  window.addEventListener("pageshow", release);
  document.addEventListener("htmx:afterRequest", release);

  document.addEventListener("input", (event) => {
    const counter = document.querySelector(`[data-count-of="${event.target.id}"]`);
    if (counter) counter.textContent = event.target.value.length;
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-autosubmit]")) event.target.form.requestSubmit();
  });
})();
