// Buttons that copy: a value, the text of another element, or the address of the page. Texts come from the page.

async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  button.classList.add("is-done");
  const label = button.querySelector(".hidden") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => {
    label.textContent = before;
    button.classList.remove("is-done");
  }, 1500);
}

function start(selector, text) {
  for (const button of document.querySelectorAll(selector)) {
    button.hidden = false;
    button.addEventListener("click", () => copy(text(button), button));
  }
}

export function startCopying() {
  if (!navigator.clipboard) return; // plain http on another host than localhost has none
  start("[data-copy]", (button) => button.dataset.copy);
  start("[data-copy-from]", (button) => document.getElementById(button.dataset.copyFrom).innerText);
  start("[data-copy-link]", () => location.href);
}
