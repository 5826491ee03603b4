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

// Stores what a form says without leaving the page; where that fails, the form itself is sent.
async function store(form, submitter, onSubmit) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form, submitter),
    redirect: "manual",
    keepalive: true,
  }).catch(() => null);
  if (answer?.type === "opaqueredirect") return;
  form.removeEventListener("submit", onSubmit);
  form.requestSubmit(submitter);
}

function show(theme) {
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

function startTheme(form) {
  form.addEventListener("submit", function onSubmit(event) {
    event.preventDefault();
    const { submitter } = event;
    show(submitter.value);
    for (const other of form.elements.theme) if (other !== submitter) other.focus(); // it takes the place
    store(form, submitter, onSubmit);
  });
}

// Where nobody is signed in, only the browser can remember.
function startBrowserTheme(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
    show(shown === "dark" ? "light" : "dark");
  });
}

function startShortcuts(form) {
  const choice = form.elements.shortcuts;
  form.querySelector("[type=submit]").hidden = true;
  choice.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", function onSubmit(event) {
    event.preventDefault();
    if (choice.checked) delete document.documentElement.dataset.shortcuts;
    else document.documentElement.dataset.shortcuts = "off";
    store(form, null, onSubmit);
  });
}

function startShow(button) {
  const field = document.getElementById(button.dataset.show);
  const show = button.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    const visible = field.type === "password";
    field.type = visible ? "text" : "password";
    button.textContent = visible ? button.dataset.hide : show;
    button.setAttribute("aria-pressed", String(visible));
  });
  field.form.addEventListener("submit", () => (field.type = "password"));
}

function startFilters(form) {
  const search = form.elements.search;
  const fault = document.getElementById("search-fault");
  const most = Number(search.dataset.most);
  const tooLong = () => [...search.value].length > most;
  const apply = form.querySelector(".filters__apply");
  apply.hidden = true; // each choice is applied at once
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
  for (const field of form.querySelectorAll("select, [data-submit]")) {
    // Arrows and letters change a closed field at each step, perhaps on the way to another choice: then Enter applies it.
    let isStep = false;
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !apply.hidden) {
        event.preventDefault();
        form.requestSubmit();
      }
      isStep = field.matches("select") && !["Enter", " "].includes(event.key);
    });
    field.addEventListener("pointerdown", () => (isStep = false));
    field.addEventListener("change", () => (isStep ? (apply.hidden = false) : form.requestSubmit()));
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

function startPrint(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const form of document.querySelectorAll("form[data-theme-toggle]")) startTheme(form);
for (const button of document.querySelectorAll("button[data-theme-toggle]")) startBrowserTheme(button);
for (const form of document.querySelectorAll("[data-shortcuts-switch]")) startShortcuts(form);
for (const button of document.querySelectorAll("[data-show]")) startShow(button);
for (const form of document.querySelectorAll("[data-filters]")) startFilters(form);
for (const menu of document.querySelectorAll(".menu")) startMenu(menu);
for (const button of document.querySelectorAll("[data-print-page]")) startPrint(button);
startCopying();
startKeys();
