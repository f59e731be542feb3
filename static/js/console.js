// The agents' console: what the poll asks for, rows that hold still under the pointer, the composer's modes.
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

  function settle() {
    const open = byId("ticket-pane")?.dataset.number;
    for (const row of document.querySelectorAll(".queue-row")) {
      if (row.dataset.number === open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    for (const box of document.querySelectorAll("[data-scroll-end]")) box.scrollTop = box.scrollHeight;
  }
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:oobAfterSwap", settle);
  settle();

  // r and n choose the composer before the shared key handler puts the cursor into it.
  document.addEventListener("keydown", (event) => {
    const field = document.activeElement;
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (field.matches("input:not([type=radio]), textarea, select")) return;
    const mode = { r: "reply", n: "note", e: "reply" }[event.key];
    const radio = mode && document.querySelector(`[data-mode=${mode}]`);
    if (radio) radio.checked = true;
    if (event.key === "t") document.querySelector("[data-key=t]")?.closest("details")?.toggleAttribute("open");
  }, true);
})();
