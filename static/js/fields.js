// Fields: [data-count-of=id] counts characters, [data-autosubmit] sends a filter when it changes, [data-files-of=id] names the
// chosen files, a .dropzone takes dropped ones.
(() => {
  document.addEventListener("input", (event) => {
    const counter = event.target.id && document.querySelector(`[data-count-of="${CSS.escape(event.target.id)}"]`);
    if (counter) counter.textContent = event.target.value.length;
  });

  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-autosubmit]")) event.target.form.requestSubmit();
    const names = event.target.files && document.querySelector(`[data-files-of="${CSS.escape(event.target.id)}"]`);
    if (names) names.textContent = [...event.target.files].map((file) => file.name).join("，");
  });

  const zone = (event) => event.target.closest?.(".dropzone");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!zone(event)) return;
      event.preventDefault();
      zone(event).classList.add("is-over");
    });
  }
  document.addEventListener("dragleave", (event) => zone(event)?.classList.remove("is-over"));
  document.addEventListener("drop", (event) => {
    const target = zone(event);
    const input = target?.querySelector("input[type=file]");
    if (!input) return;
    event.preventDefault();
    target.classList.remove("is-over");
    const taken = new DataTransfer();
    for (const file of input.multiple ? [...input.files, ...event.dataTransfer.files] : [event.dataTransfer.files[0]]) taken.items.add(file);
    input.files = taken.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
