// The queue and the open ticket follow the poll ("portal:news"). Rows enter, leave and move one by one; a row that did not
// change is not touched. While the pointer or the keyboard is in the list nothing moves: rows are brought up to date where
// they stand, and the pill counts what waits. Viewers are painted last, from the newest list.
(() => {
  const byId = (id) => document.getElementById(id);
  const list = () => document.querySelector(".queue-rows");
  const known = new Map(); // id of a row -> what the server sent, without what ticks
  let waiting = null;
  let viewers = {};

  const held = () => Boolean(document.querySelector(".queue-rows:hover, .queue-row:focus-visible"));
  const parsed = (html) => document.createRange().createContextualFragment(html).firstElementChild;
  const rowsOf = (queue) => [...queue.querySelectorAll(".queue-row")];

  // A change of plan, window or severity is shown once.
  function flash(element, before) {
    if (!element || !before || before === element.dataset.standing) return;
    element.classList.remove("is-flashed");
    requestAnimationFrame(() => element.classList.add("is-flashed"));
  }

  // What time alone changes is brought up to date by js/clocks.js.
  const essence = (row) => row.outerHTML.replace(/(data-left="">)[^<]*|(<progress[^>]* value=)"\d+"|data-state="\w+"/g, "$1$2");

  function renew(row, fresh) {
    const html = essence(fresh);
    if (known.get(row.id) === html) return;
    known.set(row.id, html);
    const before = row.dataset.standing;
    for (const { name, value } of fresh.attributes) if (name !== "class" && name !== "aria-current") row.setAttribute(name, value);
    row.replaceChildren(...fresh.cloneNode(true).childNodes);
    flash(row, before);
  }

  // How many rows would enter, leave or change places.
  function moves(fresh) {
    const now = rowsOf(document).map((row) => row.id);
    const then = fresh.map((row) => row.id);
    const entered = then.filter((id) => !now.includes(id)).length;
    const left = now.filter((id) => !then.includes(id)).length;
    const stay = then.filter((id) => now.includes(id));
    const stood = now.filter((id) => then.includes(id));
    return entered + left + stay.filter((id, at) => stood[at] !== id).length;
  }

  function arrange(fresh, queue) {
    const rows = list();
    const focused = document.activeElement?.closest?.(".queue-row")?.id;
    if (!fresh.length) {
      rows.replaceChildren(...queue.querySelector(".queue-rows").childNodes);
      known.clear();
      return;
    }
    for (const old of [...rows.children]) if (!fresh.some((row) => row.id === old.id)) {
      known.delete(old.id);
      old.remove();
    }
    fresh.forEach((row, at) => {
      let here = byId(row.id);
      if (here) renew(here, row);
      else {
        known.set(row.id, essence(row));
        here = row.cloneNode(true);
        htmx.process(here);
      }
      if (rows.children[at] !== here) rows.insertBefore(here, rows.children[at] ?? null);
    });
    if (focused && document.activeElement?.id !== focused) byId(focused)?.focus({ preventScroll: true });
  }

  function around(queue) {
    for (const part of [".tabs", ".queue-bar", ".pager"]) {
      const [here, there] = [byId("queue").querySelector(part), queue.querySelector(part)];
      if (here && there && !here.contains(document.activeElement)) here.replaceWith(there.cloneNode(true));
      else if (here && !there) here.remove();
      else if (there && !here) byId("queue").append(there.cloneNode(true));
    }
  }

  function pill(count) {
    const place = document.querySelector("[data-queue-news]");
    place.hidden = !count;
    place.querySelector("[data-queue-count]").textContent = count || "";
  }

  function bring(queue) {
    const fresh = rowsOf(queue);
    const count = moves(fresh);
    around(queue);
    if (count && held()) {
      for (const row of fresh) if (byId(row.id)) renew(byId(row.id), row);
      waiting = queue;
      pill(count);
    } else {
      arrange(fresh, queue);
      waiting = null;
      pill(0);
    }
    document.dispatchEvent(new CustomEvent("portal:queue"));
  }

  function release() {
    if (!waiting) return;
    const queue = waiting;
    waiting = null;
    arrange(rowsOf(queue), queue);
    pill(0);
    paint();
    document.dispatchEvent(new CustomEvent("portal:queue"));
  }

  function counters(news) {
    if (news.counts) byId("console-counts")?.replaceWith(parsed(news.counts));
    if (news.mine === undefined) return;
    for (const place of document.querySelectorAll("[data-count=mine]")) place.textContent = news.mine;
  }

  // Somebody who had read to the end sees the new end; others keep their place, and what they unfolded.
  function ticket(news) {
    const thread = byId("console-thread");
    if (!thread || byId("ticket-pane").dataset.number !== news.ticket) return;
    const isAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    const top = thread.scrollTop;
    const open = new Set([...thread.querySelectorAll("details[open]")].map((fold) => fold.id));
    const fresh = parsed(news.thread);
    for (const fold of fresh.querySelectorAll("details")) fold.open = open.has(fold.id);
    thread.replaceWith(fresh);
    htmx.process(fresh);
    fresh.scrollTop = isAtEnd ? fresh.scrollHeight : top;
    const head = byId("ticket-pane-head");
    if (head.querySelector("details[open]") || head.contains(document.activeElement)) return;
    const before = head.dataset.standing;
    const next = parsed(news.head);
    head.replaceWith(next);
    htmx.process(next);
    flash(next, before);
  }

  function person([name, mode], words) {
    const place = document.createElement("span");
    place.className = `viewer viewer--${mode}`;
    place.title = words[mode].replace("{name}", name);
    place.append([...name][0] ?? "·");
    const spoken = Object.assign(document.createElement("span"), { className: "u-visually-hidden", textContent: place.title });
    place.append(spoken);
    return place;
  }

  function paint() {
    const { reading, writing, away } = byId("queue").dataset;
    for (const place of document.querySelectorAll("[data-viewers]")) {
      const people = viewers[place.dataset.viewers] || [];
      const shown = people.slice(0, place.dataset.names === undefined ? 3 : 2);
      const key = JSON.stringify(shown);
      if (place.dataset.shown === key) continue;
      place.dataset.shown = key;
      place.replaceChildren(...shown.map((who) => {
        const mark = person(who, { reading, writing, away });
        if (place.dataset.names === undefined) return mark;
        const line = document.createElement("span");
        line.className = "row row--nowrap viewer-line";
        line.append(mark, mark.title);
        return line;
      }));
    }
  }

  document.addEventListener("portal:news", ({ detail: news }) => {
    document.dispatchEvent(new CustomEvent("portal:time", { detail: news.now }));
    if (news.queue !== undefined) {
      byId("queue").dataset.version = news.queueVersion;
      bring(parsed(news.queue));
      counters(news);
    }
    if (news.thread !== undefined) ticket(news);
    if (news.viewers) viewers = news.viewers;
    paint();
  });
  document.addEventListener("mouseout", (event) => {
    if (event.target.closest?.(".queue-rows") && !event.relatedTarget?.closest?.(".queue-rows") && !document.querySelector(".queue-row:focus-visible")) release();
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.closest?.(".queue-row")) setTimeout(() => { if (!held()) release(); });
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-queue-news]")) release();
  });
  document.addEventListener("htmx:afterSettle", paint);
  for (const row of rowsOf(document)) {
    const copy = row.cloneNode(true);
    copy.removeAttribute("aria-current");
    known.set(row.id, essence(copy));
  }
})();
