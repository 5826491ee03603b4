// What every page can do more with scripts. Without them it all works by links and forms.
import { startCopying } from "./copy.js";
import { startKeys } from "./keys.js";

const YEAR = 31_536_000;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}

// The server writes times in this zone from the next page on.
remember("timezone", Intl.DateTimeFormat().resolvedOptions().timeZone);

function startTheme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
    const next = shown === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    remember("theme", next);
  });
}

function startShow(button) {
  const field = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("click", () => {
    const visible = field.type === "password";
    field.type = visible ? "text" : "password";
    button.textContent = visible ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(visible));
  });
  field.form.addEventListener("submit", () => (field.type = "password"));
}

function startFilters(form) {
  const search = form.elements.search;
  const fault = document.getElementById("search-fault");
  const most = Number(search.dataset.most);
  const tooLong = () => [...search.value].length > most;
  search.addEventListener("input", () => (fault.hidden = !tooLong()));
  form.addEventListener("submit", (event) => {
    fault.hidden = !tooLong();
    if (tooLong()) return event.preventDefault();
    // Fields that say nothing stay out of the URL.
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
  // Coming back to a page that the browser kept: its fields work again.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
  for (const field of form.querySelectorAll("[data-submit]")) {
    field.addEventListener("change", () => form.requestSubmit());
  }
}

function startMenu(menu) {
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) startTheme(button);
for (const button of document.querySelectorAll("[data-show]")) startShow(button);
for (const form of document.querySelectorAll("[data-filters]")) startFilters(form);
for (const menu of document.querySelectorAll(".menu")) startMenu(menu);
startCopying();
startKeys();
