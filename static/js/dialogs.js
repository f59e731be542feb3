// data-dialog="#id" opens a native <dialog> (focus starts at its [autofocus], the safe button), data-close closes it,
// so does a click beside it. Without scripts the opener is a link to a page of its own.
(() => {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      document.querySelector(opener.dataset.dialog).showModal();
      return;
    }
    const dialog = event.target.closest("dialog");
    if (!dialog) return;
    const box = dialog.getBoundingClientRect();
    const beside = event.target === dialog && (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom);
    if (event.target.closest("[data-close]") || beside) dialog.close();
  });

  // A destructive button waits for its tick: data-needs="#checkbox".
  function follow() {
    for (const button of document.querySelectorAll("[data-needs]")) {
      button.disabled = !document.querySelector(button.dataset.needs)?.checked;
    }
  }
  document.addEventListener("change", follow);
  document.addEventListener("htmx:afterSwap", follow);
  follow();
})();
