// data-copy="text" on a button copies it and says so (data-copied on <body>, read out by the toasts' live region).
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return; // No clipboard without a secure origin: the text stays selectable beside the button.
  }
  button.dispatchEvent(new CustomEvent("portal:toast", { bubbles: true, detail: document.body.dataset.copied }));
});
