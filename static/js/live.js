// Live parts poll a small versioned endpoint through htmx. A lost connection shows a banner and marks the clocks.
(() => {
  const text = document.documentElement.lang === "en" ? "Connection lost, reconnecting" : "连接中断，正在重连";
  let banner = null;

  function lost() {
    document.body.classList.add("is-unconfirmed");
    if (banner) return;
    banner = Object.assign(document.createElement("div"), { className: "banner", textContent: text });
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
  document.addEventListener("htmx:afterOnLoad", back);
  window.addEventListener("offline", lost);

  // A row under the pointer or the keyboard's focus does not move: the swap waits.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target.matches?.("[data-hold]")) return;
    const held = target.querySelector("a:hover, a:focus-visible, textarea:focus");
    if (held && event.detail.requestConfig.triggeringEvent?.type !== "click") event.detail.shouldSwap = false;
  });
})();
