// Live parts poll a small versioned endpoint through htmx, or by themselves (js/poll.js, which tells of "portal:lost" and
// "portal:connected"); 204 means nothing new. A lost connection shows a banner (data-lost on <body>) and marks the clocks as
// unconfirmed; they go on counting from the last known server time.
(() => {
  let banner = null;
  let pollFails = false;

  function lost() {
    document.body.classList.add("is-unconfirmed");
    if (banner) return;
    banner = Object.assign(document.createElement("div"), { className: "banner", textContent: document.body.dataset.lost });
    banner.setAttribute("role", "status");
    document.body.prepend(banner);
  }

  function back() {
    document.body.classList.remove("is-unconfirmed");
    banner?.remove();
    banner = null;
  }

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status >= 502) lost();
    else if (!pollFails) back(); // what another part of the page was told says nothing of the queue
  });
  window.addEventListener("offline", lost);
  document.addEventListener("portal:lost", () => {
    pollFails = true;
    lost();
  });
  document.addEventListener("portal:connected", () => {
    pollFails = false;
    back();
  });
  // An action that failed says so (data-failed on <body>) and leaves what was typed; the next try takes the message away.
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.requestConfig.verb === "get") return;
    const detail = { text: document.body.dataset.failed, tone: "error" };
    document.dispatchEvent(new CustomEvent("portal:toast", { detail }));
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.verb !== "get") document.querySelector(".toasts .toast--error")?.remove();
  });

  // A row under the pointer or the keyboard's focus does not move: the swap waits.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target.matches?.("[data-hold]")) return;
    const held = target.querySelector("a:hover, a:focus-visible, textarea:focus");
    if (held && event.detail.requestConfig.triggeringEvent?.type !== "click") event.detail.shouldSwap = false;
  });
})();
