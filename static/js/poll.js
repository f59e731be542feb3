// The heart of the open console: asks [data-live] of #queue for news, tells where this person is, and hands the answer on
// as "portal:news". One request at a time. A lost connection is told at once (js/live.js shows it), asked for again ever
// more slowly with some chance in it, so that consoles do not come back all together, and caught up with as soon as the
// browser is back online or the tab is looked at.
(() => {
  const EVERY_MS = 1000;
  const HIDDEN_MS = 10_000;
  const PATIENCE_MS = 3000;
  const SLOWEST_MS = 30_000;
  const FRESH_MS = 30_000; // counters change by time alone
  const WRITING_MS = 5000;
  const byId = (id) => document.getElementById(id);
  const tab = (sessionStorage.tab ??= Math.random().toString(36).slice(2));
  let timer = 0;
  let failures = 0;
  let asking = null;
  let typedAt = 0;
  let wholeAt = Date.now();
  let presence = "";

  const around = (ms) => ms * (0.9 + Math.random() * 0.2);

  function wait() {
    clearTimeout(timer);
    const calm = document.hidden ? HIDDEN_MS : EVERY_MS;
    const ms = failures ? Math.min(SLOWEST_MS, EVERY_MS * 2 ** failures) * (0.7 + Math.random() * 0.6) : around(calm);
    timer = setTimeout(ask, ms);
  }

  function mode() {
    if (document.hidden) return "away";
    return Date.now() - typedAt < WRITING_MS ? "writing" : "reading";
  }

  function address() {
    const queue = byId("queue");
    const pane = byId("ticket-pane");
    const url = new URL(queue.dataset.live, location.href);
    const isFresh = Date.now() - wholeAt < FRESH_MS;
    url.searchParams.set("queue", isFresh ? queue.dataset.version : "");
    url.searchParams.set("presence", presence);
    url.searchParams.set("tab", tab);
    url.searchParams.set("mode", mode());
    if (pane?.dataset.number) {
      url.searchParams.set("ticket", pane.dataset.number);
      url.searchParams.set("open", pane.dataset.ticket);
      url.searchParams.set("seen", byId("console-thread").dataset.version);
    }
    return url;
  }

  function tell(news) {
    if (news.presenceVersion !== undefined) presence = news.presenceVersion;
    if (news.queue !== undefined) wholeAt = Date.now();
    document.dispatchEvent(new CustomEvent("portal:news", { detail: news }));
  }

  async function ask() {
    if (asking || !byId("queue")) return;
    clearTimeout(timer);
    asking = new AbortController();
    const patience = setTimeout(() => asking.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(address(), { headers: { "HX-Request": "true", "HX-Current-URL": location.href }, signal: asking.signal });
      const away = answer.headers.get("HX-Redirect");
      if (away) {
        location.href = away;
        return;
      }
      if (answer.status === 403 || answer.status === 404) {
        location.reload(); // The page says what is not allowed any more.
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const news = answer.status === 204 ? null : await answer.json();
      failures = 0;
      document.dispatchEvent(new CustomEvent("portal:connected"));
      if (news) tell(news);
    } catch {
      failures += 1;
      document.dispatchEvent(new CustomEvent("portal:lost"));
    } finally {
      clearTimeout(patience);
      asking = null;
      wait();
    }
  }

  function now() {
    failures = 0;
    if (!asking) ask();
  }

  // Gone at once when the tab is closed; a crash is noticed by the silence.
  window.addEventListener("pagehide", () => {
    if (!byId("queue")) return;
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    const form = new FormData();
    form.set("tab", tab);
    form.set("csrfmiddlewaretoken", token);
    navigator.sendBeacon(byId("queue").dataset.leave, form);
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) now(); });
  window.addEventListener("online", now);
  window.addEventListener("offline", () => { failures += 1; });
  document.addEventListener("visibilitychange", now);
  document.addEventListener("portal:ask", now);
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.(".composers")) return;
    const isNew = mode() !== "writing";
    typedAt = Date.now();
    if (isNew) now();
  });
  // What was just done shows at once; so does who looks at the ticket that was just opened.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.closest("#ticket-pane")) now();
  });
  now();
})();
