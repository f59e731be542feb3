// Deadlines tick here; the server sends them with its own time, so a wrong clock in the browser does not matter.
// data-deadline (ISO) on an element shows what is left, in its [data-left] or itself; data-total (seconds) gives the state
// calm, warm (≤ 50 % left), hot (≤ 20 %) or breached; data-late replaces the count of a missed deadline; data-clock="cashier"
// fills [data-part=d|h|m|s]. [data-announce] speaks data-at300, data-at60 and data-at0 once. One timer serves the page.
(() => {
  let ahead = Date.parse(document.body.dataset.now) - Date.now();
  const spoken = new WeakMap();
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

  function cashier(element, left) {
    const rest = Math.max(0, left);
    const parts = { h: Math.floor(rest / 3600), m: Math.floor((rest % 3600) / 60), s: rest % 60 };
    for (const part of element.querySelectorAll("[data-part]")) part.textContent = pad(parts[part.dataset.part]);
    if (left <= 0 && !element.dataset.over) {
      element.dataset.over = "yes";
      setTimeout(() => location.reload(), 3000);
    }
  }

  function chip(element, left) {
    const total = Number(element.dataset.total) || 0;
    const text = element.querySelector("[data-left]") || element;
    text.textContent = left < 0 ? (element.dataset.late ?? `+${words(left)}`) : words(left);
    if (!total) return;
    const now = state(left, total);
    if (element.dataset.state && element.dataset.state !== now) {
      element.classList.remove("is-changed");
      requestAnimationFrame(() => element.classList.add("is-changed"));
    }
    element.dataset.state = now;
    const bar = element.closest("[data-clock-row]")?.querySelector("progress");
    if (bar) bar.value = Math.min(total, total - left);
  }

  // Spoken when the mark is crossed, not when it is hit: a sleeping tab may skip the second.
  function announce(element, left) {
    const live = element.querySelector("[data-announce]");
    if (!live) return;
    const before = spoken.get(live);
    spoken.set(live, left);
    if (before === undefined) return;
    for (const mark of [0, 60, 300]) {
      if (before > mark && left <= mark && live.dataset[`at${mark}`]) {
        live.textContent = live.dataset[`at${mark}`];
        return;
      }
    }
  }

  function tick() {
    const now = Date.now() + ahead;
    for (const element of document.querySelectorAll("[data-deadline]")) {
      const left = Math.floor((Date.parse(element.dataset.deadline) - now) / 1000);
      if (element.dataset.clock === "cashier") cashier(element, left);
      else chip(element, left);
      announce(element, left);
    }
  }

  // A fresh part of the page brings the server's time along.
  document.addEventListener("htmx:afterSwap", (event) => {
    const fresh = event.detail.elt.querySelector?.("[data-now]") || event.detail.elt;
    if (fresh.dataset?.now) ahead = Date.parse(fresh.dataset.now) - Date.now();
    tick();
  });
  document.addEventListener("portal:time", (event) => {
    ahead = Date.parse(event.detail) - Date.now();
  });
  document.addEventListener("portal:queue", tick);
  setInterval(tick, 1000);
  tick();
})();
