// Menus (<details class="menu">) close on a click elsewhere and on Escape; data-toggle="#id" opens the drawer of phones.
(() => {
  const toggles = () => document.querySelectorAll("[data-toggle]");
  const drawer = (toggle) => document.querySelector(toggle.dataset.toggle);
  // The drawer itself says whether it is open: a live page may replace its toggle meanwhile.
  const isOpen = (toggle) => Boolean(drawer(toggle)?.classList.contains("is-open"));

  function set(toggle, open) {
    drawer(toggle)?.classList.toggle("is-open", open);
    toggle.setAttribute("aria-expanded", String(open));
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) {
      event.preventDefault();
      set(toggle, !isOpen(toggle));
    } else {
      for (const other of toggles()) {
        if (isOpen(other) && !event.target.closest(`${other.dataset.toggle} > *`)) set(other, false);
      }
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    for (const toggle of toggles()) {
      if (isOpen(toggle)) {
        set(toggle, false);
        toggle.focus();
      }
    }
  });
})();
