// The agents' console: which row is open, and the place of reading when another ticket opens. What is new comes by js/poll.js
// and js/queue.js.
(() => {
  const byId = (id) => document.getElementById(id);

  function settle() {
    const open = byId("ticket-pane")?.dataset.number;
    byId("main").classList.toggle("console--open", Boolean(open)); // on phones the ticket takes the queue's place
    for (const row of document.querySelectorAll(".queue-row")) {
      if (row.dataset.number === open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  // The same ticket again (something was sent) stays where it was read, unless that was the end. Another opens at its end.
  const place = { number: null, top: null };
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  document.addEventListener("htmx:beforeSwap", () => {
    const thread = byId("console-thread");
    place.number = byId("ticket-pane")?.dataset.number;
    place.top = thread && !atEnd(thread) ? thread.scrollTop : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    settle();
    const thread = byId("console-thread");
    if (!thread || !event.detail.elt.closest("#ticket-pane")) return;
    const isSame = place.number === byId("ticket-pane").dataset.number;
    thread.scrollTop = isSame && place.top !== null ? place.top : thread.scrollHeight;
  });
  document.addEventListener("portal:queue", settle);

  // A ticket that takes a while to come leaves its place to a skeleton, after a moment of nothing.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { target, requestConfig } = event.detail;
    if (target.id !== "ticket-pane" || requestConfig.verb !== "get") return;
    target.setAttribute("aria-busy", "true");
    target.querySelector(".pane__scroll")?.replaceChildren(byId("pane-loading").content.cloneNode(true));
  });

  // A pane that cannot be loaded says so and offers to try again; nothing was changed.
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      const { target, requestConfig } = event.detail;
      const place = target?.closest?.("#ticket-pane, #ticket-context");
      if (!place || requestConfig.verb !== "get") return;
      place.removeAttribute("aria-busy");
      const note = byId("pane-failed").content.cloneNode(true);
      note.querySelector("[data-again]").addEventListener("click", () => htmx.ajax("GET", requestConfig.path, { target: `#${place.id}`, swap: place.id === "ticket-pane" ? "outerHTML" : "innerHTML" }));
      const box = place.querySelector(".pane__scroll") ?? place;
      box.replaceChildren(note);
    });
  }

  settle();
  const thread = byId("console-thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
})();
