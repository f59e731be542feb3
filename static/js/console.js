// The agents' console: what the poll asks for, rows that hold still under the pointer, places of reading kept.
(() => {
  const byId = (id) => document.getElementById(id);
  let pending = false;

  // The poll says which versions the page shows and which ticket is open.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "queue") return;
    const pane = byId("ticket-pane");
    event.detail.parameters.queue = byId("queue").dataset.version;
    if (pane?.dataset.number) {
      event.detail.parameters.ticket = pane.dataset.number;
      event.detail.parameters.seen = byId("console-thread").dataset.version;
    }
  });

  function held() {
    return Boolean(document.querySelector(".queue-rows:hover, .queue-row:focus-visible"));
  }

  function refresh() {
    if (!pending) return;
    pending = false;
    byId("queue").dataset.version = "";
    htmx.trigger("#queue", "refresh");
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target.id === "queue" && !pending && held()) {
      event.detail.shouldSwap = false;
      pending = true;
      target.dataset.version = fragment.querySelector("#queue").dataset.version;
      target.querySelector("[data-queue-news]").hidden = false;
    } else if (target.id === "queue" && pending && held()) {
      event.detail.shouldSwap = false;
      target.dataset.version = fragment.querySelector("#queue").dataset.version;
    }
  });
  document.addEventListener("mouseout", (event) => {
    if (pending && event.target.closest?.(".queue-rows") && !event.relatedTarget?.closest?.(".queue-rows")) refresh();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-queue-news]")) refresh();
  });

  // A fresh copy of the queue or of the open conversation keeps the place where the person was reading; somebody who
  // had read to the end sees the new end. Another ticket opens at its end.
  const places = {};
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  function remember() {
    const thread = byId("console-thread");
    places.queue = document.querySelector(".queue-rows")?.scrollTop;
    places.number = byId("ticket-pane")?.dataset.number;
    places.thread = thread && !atEnd(thread) ? thread.scrollTop : null;
  }
  function keepPlaces() {
    const rows = document.querySelector(".queue-rows");
    const thread = byId("console-thread");
    if (rows) rows.scrollTop = places.queue || 0;
    if (!thread) return;
    const isSame = places.number === byId("ticket-pane").dataset.number;
    thread.scrollTop = isSame && places.thread !== null ? places.thread : thread.scrollHeight;
  }

  function settle() {
    const open = byId("ticket-pane")?.dataset.number;
    for (const row of document.querySelectorAll(".queue-row")) {
      if (row.dataset.number === open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSettle", (event) => {
    settle();
    if (event.detail.elt.closest("#ticket-pane")) keepPlaces();
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    settle();
    if (["queue", "console-thread"].includes(event.detail.target.id)) keepPlaces();
  });
  settle();
  const thread = byId("console-thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
})();
