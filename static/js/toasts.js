// Toasts leave after 5 s, errors stay until they are closed; a "portal:toast" event shows one more (its text, or {text, tone}).
(() => {
  const box = () => document.getElementById("toasts");

  function settle() {
    for (const toast of document.querySelectorAll("[data-toast]:not([data-timed])")) {
      toast.dataset.timed = "yes";
      if (!toast.matches(".toast--error, .toast--warning")) setTimeout(() => toast.remove(), 5000);
    }
  }

  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove());
  document.addEventListener("portal:toast", (event) => {
    const { text: words, tone } = typeof event.detail === "string" ? { text: event.detail } : event.detail;
    const text = document.createElement("span");
    text.textContent = words;
    const toast = document.createElement("p");
    toast.className = tone ? `toast toast--${tone}` : "toast";
    toast.dataset.toast = "";
    toast.append(text);
    box()?.append(toast);
    settle();
  });
  document.addEventListener("htmx:afterSettle", settle);
  settle();
})();
