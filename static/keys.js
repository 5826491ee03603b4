// Single-key shortcuts: off while typing, off with modifiers, and switched off by whoever wants (WCAG 2.1.4).

const areOff = () => document.documentElement.dataset.shortcuts === "off"; // the person's preference

function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
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

function select() {
  const box = document.activeElement?.closest(".row")?.querySelector(".row__check");
  box?.click();
  return Boolean(box);
}

function follow(selector) {
  const link = document.querySelector(selector);
  link?.click();
  return link !== null;
}

function focus(field) {
  field?.focus();
  return field !== null;
}

function open(dialog) {
  if (!dialog) return false;
  dialog.showModal();
  return true;
}

export function startKeys() {
  const dialog = document.getElementById("shortcuts");
  const search = document.getElementById("search") ?? document.getElementById("find");
  const actions = {
    j: () => move(1) || follow("[data-next]"),
    k: () => move(-1) || follow("[data-previous]"),
    x: select,
    "/": () => search && (search.focus(), search.select(), true),
    "?": () => open(dialog),
    u: () => follow("[data-back]"),
    n: () => follow("[data-step='1']"),
    p: () => follow("[data-step='-1']"),
    "[": () => follow("[data-stage-step='-1']"),
    "]": () => follow("[data-stage-step='1']"),
    c: () => follow("[data-copy-link]"),
    m: () => focus(document.getElementById("note-text")),
  };
  for (const number of [1, 2, 3, 4, 5]) actions[number] = () => follow(`[data-key="${number}"]`);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target === search) return search.blur();
    // AltGr, with which many keyboards write brackets, also counts as Ctrl and Alt.
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if ((modified && !event.getModifierState("AltGraph")) || event.isComposing || event.defaultPrevented) return;
    if (areOff() || isTyping(event.target) || dialog?.open) return;
    if (actions[event.key]?.()) event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-open='shortcuts']")) {
    button.hidden = false;
    button.addEventListener("click", () => open(dialog));
  }
}
