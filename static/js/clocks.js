// Deadlines tick here; the server sends them with its own time, so a wrong clock in the browser does not matter.
// Any element with data-deadline shows what is left; one timer serves the whole page.
(() => {
  let ahead = Date.parse(document.body.dataset.now) - Date.now();
  const pad = (n) => String(n).padStart(2, "0");

  function words(seconds) {
    const s = Math.abs(seconds);
    const h = Math.floor(s / 3600);
    return (h ? `${h}:` : "") + `${pad(Math.floor((s % 3600) / 60))}:${pad(s % 60)}`;
  }

  function state(left, total) {
    if (left < 0) return "breached";
    if (left <= total * 0.2) return "hot";
    return left <= total * 0.5 ? "warm" : "calm";
  }

  function tick() {
    const now = Date.now() + ahead;
    for (const element of document.querySelectorAll("[data-deadline]")) {
      const left = Math.floor((Date.parse(element.dataset.deadline) - now) / 1000);
      const total = Number(element.dataset.total) || 0;
      if (element.dataset.clock === "cashier") {
        const rest = Math.max(0, left);
        const parts = { h: Math.floor(rest / 3600), m: Math.floor((rest % 3600) / 60), s: rest % 60 };
        for (const part of element.querySelectorAll("[data-part]")) part.textContent = pad(parts[part.dataset.part]);
        if (left <= 0 && !element.dataset.over) {
          element.dataset.over = "yes";
          setTimeout(() => location.reload(), 3000);
        }
        announce(element, left);
        continue;
      }
      const text = element.querySelector("[data-left]") || element;
      text.textContent = left < 0 ? (element.dataset.late || `+${words(left)}`) : words(left);
      if (total) element.dataset.state = state(left, total);
      const bar = element.closest("[data-clock-row]")?.querySelector("progress");
      if (bar && total) bar.value = Math.min(total, total - left);
    }
  }

  function announce(element, left) {
    const live = element.querySelector("[data-announce]");
    const text = live?.dataset[`at${left}`];
    if (text) live.textContent = text;
  }

  // A fresh part of the page brings the server's time along.
  document.addEventListener("htmx:afterSwap", (event) => {
    const fresh = event.detail.elt.querySelector?.("[data-now]") || event.detail.elt;
    if (fresh.dataset?.now) ahead = Date.parse(fresh.dataset.now) - Date.now();
    tick();
  });
  setInterval(tick, 1000);
  tick();
})();
