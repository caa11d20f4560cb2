// The filter, and links that open what they lead to.
"use strict";
const form = document.getElementById("filter");
const cases = [...document.querySelectorAll(".case")];
const count = form.querySelector("output");
let place = {};

function show() {
  const text = form.elements.text.value.trim().toLowerCase();
  const status = form.elements.status.value;
  let shown = 0;
  for (const one of cases) {
    const data = one.dataset;
    const fits = (!status || data.status === status)
      && (!place.class || data.class === place.class)
      && (!place.chapter || data.chapter === place.chapter)
      && text.split(/\s+/).every((word) => data.text.toLowerCase().includes(word));
    one.hidden = !fits;
    shown += fits;
  }
  const where = [place.class, place.chapter].filter(Boolean).join(", ");
  count.value = `${shown} of ${cases.length} cases${where ? ` in ${where}` : ""}`;
}

function filter(wanted) {
  form.elements.text.value = wanted.text ?? "";
  form.elements.status.value = wanted.status ?? "";
  place = { class: wanted.class, chapter: wanted.chapter };
  show();
  form.scrollIntoView();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.classList.contains("copy")) {
    navigator.clipboard?.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  } else if (button.dataset.status || button.dataset.text) {
    filter(button.dataset);
  }
});
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => { place = {}; setTimeout(show); });

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.classList.contains("case")) {
    target.hidden = false;
    target.open = true;
  }
  target.scrollIntoView();
}
addEventListener("hashchange", follow);
follow();
