// Says in words what the chosen number of stars means.
document.addEventListener("change", (event) => {
  const stars = event.target.closest(".stars");
  if (!stars) return;
  const words = document.querySelector(`[data-words-of="${event.target.name}"]`);
  if (words) words.textContent = event.target.dataset.word;
});
