// Menus (<details class="menu">) close on a click elsewhere and on Escape; data-toggle="#id" opens the drawer of phones.
(() => {
  const toggles = () => document.querySelectorAll("[data-toggle]");

  function set(toggle, open) {
    document.querySelector(toggle.dataset.toggle).classList.toggle("is-open", open);
    toggle.setAttribute("aria-expanded", String(open));
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) {
      event.preventDefault();
      set(toggle, toggle.getAttribute("aria-expanded") !== "true");
    } else {
      for (const other of toggles()) {
        if (other.getAttribute("aria-expanded") === "true" && !event.target.closest(`${other.dataset.toggle} > *`)) set(other, false);
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
      if (toggle.getAttribute("aria-expanded") === "true") {
        set(toggle, false);
        toggle.focus();
      }
    }
  });
})();
