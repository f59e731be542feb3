// Composers: one draft per ticket, kept in this browser until the server has it; pasted and dropped files.
(() => {
  const draftKey = (field) => `draft:${field.dataset.draft}`;

  function restore() {
    for (const field of document.querySelectorAll("textarea[data-draft]")) {
      if (!field.value) field.value = localStorage.getItem(draftKey(field)) || "";
    }
  }
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.dataset?.draft) return;
    if (field.value) localStorage.setItem(draftKey(field), field.value);
    else localStorage.removeItem(draftKey(field));
  });
  document.addEventListener("submit", (event) => {
    const field = event.target.querySelector("textarea[data-draft]");
    if (field && !event.defaultPrevented) localStorage.removeItem(draftKey(field));
  });
  // What htmx sends is a draft until the server has taken it: a refusal shows it again, a lost connection leaves it.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, requestConfig } = event.detail;
    const field = requestConfig?.verb === "post" && elt.querySelector?.("textarea[data-draft]");
    if (!field || !successful) return;
    const shown = document.querySelector(`textarea[data-draft="${CSS.escape(field.dataset.draft)}"]`);
    if (!shown?.value) localStorage.removeItem(draftKey(field));
  });
  document.addEventListener("htmx:afterSettle", restore);
  restore();

  function add(form, files) {
    const input = form?.querySelector("input[type=file]");
    if (!input || !files.length) return false;
    const all = new DataTransfer();
    for (const file of [...input.files, ...files]) all.items.add(file);
    input.files = all.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }
  document.addEventListener("paste", (event) => {
    if (add(event.target.closest?.("form.composer"), event.clipboardData?.files || [])) event.preventDefault();
  });
  document.addEventListener("dragover", (event) => {
    if (event.target.closest?.("form.composer")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (add(event.target.closest?.("form.composer"), event.dataTransfer?.files || [])) event.preventDefault();
  });
})();
