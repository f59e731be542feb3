// Files go to the server as soon as they are chosen, dropped or pasted: each with its progress, and with the form only their ids.
// [data-uploads=address] in a form holds the list (data-max bytes, data-most files; words in data-too-large, data-too-many, data-failed, data-wait).
(() => {
  const listOf = (element) => element.closest?.("form")?.querySelector("[data-uploads]");
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

  function row(list, name) {
    const item = Object.assign(document.createElement("li"), { className: "upload" });
    const words = Object.assign(document.createElement("span"), { className: "upload__name", textContent: name });
    const state = Object.assign(document.createElement("small"), { className: "upload__state" });
    state.setAttribute("role", "status");
    words.append(state);
    item.append(words);
    list.append(item);
    return item;
  }

  function refuse(item, list, words) {
    delete item.dataset.pending;
    item.querySelector("progress")?.remove();
    item.classList.add("upload--bad");
    item.querySelector("small").textContent = words;
    const away = Object.assign(document.createElement("button"), { type: "button", className: "btn btn--small", textContent: list.dataset.away });
    away.dataset.removeUpload = "";
    item.append(away);
  }

  function send(list, file) {
    const item = row(list, file.name);
    const sent = list.querySelectorAll(".upload:not(.upload--bad)").length;
    if (sent > Number(list.dataset.most)) return refuse(item, list, list.dataset.tooMany);
    if (file.size > Number(list.dataset.max)) return refuse(item, list, list.dataset.tooLarge);
    item.dataset.pending = "";
    const bar = Object.assign(document.createElement("progress"), { className: "meter", max: 100, value: 0 });
    bar.setAttribute("aria-label", file.name);
    item.append(bar);
    const request = new XMLHttpRequest();
    request.open("POST", list.dataset.uploads);
    request.setRequestHeader("X-CSRFToken", token());
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = (100 * event.loaded) / event.total;
      item.querySelector("small").textContent = `${Math.round(bar.value)} %`;
    });
    request.addEventListener("load", () => {
      if (request.status === 201) {
        item.insertAdjacentHTML("afterend", request.responseText);
        item.remove();
        list.dispatchEvent(new Event("change", { bubbles: true }));
      } else refuse(item, list, request.status === 400 ? request.responseText : list.dataset.failed);
    });
    request.addEventListener("error", () => refuse(item, list, list.dataset.failed));
    const body = new FormData();
    body.append("file", file, file.name);
    request.send(body);
    return item;
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    const list = input.type === "file" && listOf(input);
    if (!list) return;
    for (const file of [...input.files]) send(list, file);
    input.value = "";
  });

  document.addEventListener("paste", (event) => {
    const list = listOf(event.target);
    const files = [...(event.clipboardData?.files || [])];
    if (!list || !files.length || event.defaultPrevented) return;
    event.preventDefault();
    for (const file of files) send(list, file);
  });

  document.addEventListener("click", (event) => {
    const item = event.target.closest("[data-remove-upload]")?.closest(".upload");
    const list = item?.parentElement;
    item?.remove();
    list?.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // A form waits for its files.
  document.addEventListener(
    "submit",
    (event) => {
      const list = event.target.querySelector("[data-uploads]");
      if (!list?.querySelector("[data-pending]")) return;
      event.preventDefault();
      event.stopPropagation();
      document.dispatchEvent(new CustomEvent("portal:toast", { detail: { text: list.dataset.wait } }));
    },
    true,
  );
})();
