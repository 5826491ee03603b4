// Single-key shortcuts: off while typing, off with modifiers, and switched off by whoever wants (WCAG 2.1.4).

const OFF = "shortcuts-off";
const stored = () => {
  try {
    return localStorage.getItem(OFF);
  } catch {
    return null; // storage may be forbidden
  }
};

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return false;
  const now = rows.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1);
  rows[next].focus({ preventScroll: true });
  rows[next].closest("tbody").scrollIntoView({ block: "nearest" });
  return true;
}

function follow(selector) {
  const link = document.querySelector(selector);
  link?.click();
  return link !== null;
}

function open(dialog) {
  if (!dialog) return false;
  dialog.showModal();
  return true;
}

export function startKeys() {
  const dialog = document.getElementById("shortcuts");
  const search = document.getElementById("search");
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => search && (search.focus(), search.select(), true),
    "?": () => open(dialog),
    u: () => follow("[data-back]"),
    n: () => follow("[data-step='1']"),
    p: () => follow("[data-step='-1']"),
  };
  for (const number of [1, 2, 3, 4, 5]) actions[number] = () => follow(`[data-key="${number}"]`);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === search) return search.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (stored() || isTyping(event.target) || dialog?.open) return;
    if (actions[event.key]?.()) event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-open='shortcuts']")) {
    button.hidden = false;
    button.addEventListener("click", () => open(dialog));
  }
  const choice = dialog?.querySelector("[data-shortcuts-on]");
  if (!choice) return;
  choice.checked = !stored();
  choice.addEventListener("change", () => {
    if (choice.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}
