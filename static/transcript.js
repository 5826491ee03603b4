// In a transcript: the message that the address names, hits, stages, copying as text, printing. Links do most of it.

const thread = document.querySelector("[data-thread]");
const head = document.querySelector(".transcript-head");
const isWindow = "window" in thread.dataset;

const named = () => location.hash.match(/^#m-([1-9][0-9]{0,5})$/)?.[1];

function addressOf(number) {
  const url = new URL(location.href);
  if (isWindow) url.searchParams.set("at", number);
  url.hash = `m-${number}`;
  return url;
}

// A message outside of those on the page: the server knows it.
function goToNamed() {
  const number = named();
  if (!number) return;
  const url = addressOf(number);
  if (document.getElementById(`m-${number}`)) history.replaceState(history.state, "", url);
  else if (isWindow && new URL(location.href).searchParams.get("at") !== number) location.replace(url);
}

function goTo(number) {
  if (!document.getElementById(`m-${number}`)) return location.assign(addressOf(number));
  // replace, so that "back" leaves the transcript instead of walking through it
  location.replace(`#m-${number}`);
}

// Links to messages carry their window; where the message is on the page they only go there.
function startPermalinks() {
  thread.addEventListener("click", (event) => {
    const link = event.target.closest("a.message__time, a.event__time, .thread__line a");
    if (!link?.hash || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!document.getElementById(link.hash.slice(1))) return;
    event.preventDefault();
    location.hash = link.hash;
  });
  addEventListener("hashchange", goToNamed);
  goToNamed();
  const at = new URL(location.href).searchParams.get("at");
  if (location.hash) return;
  if (at && document.getElementById(`m-${at}`)) location.replace(`#m-${at}`);
  else if (isWindow && "atEnd" in thread.dataset) {
    [...thread.querySelectorAll(".message")].at(-1)?.scrollIntoView({ block: "end" });
  }
}

function startHits(line) {
  const numbers = line.dataset.hits.split(" ").filter(Boolean);
  const status = line.querySelector("[data-hit-status]");
  if (!status) return;
  const many = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" });
  let at = numbers.indexOf(named());

  const { text, position } = status.dataset;

  const show = () => {
    status.textContent = text.replace("{position}", many.format(at + 1)).replace("{total}", many.format(numbers.length));
  };
  const go = (index) => {
    at = (index + numbers.length) % numbers.length;
    show();
    goTo(numbers[at]);
  };
  for (const link of line.querySelectorAll("[data-step]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(at + Number(link.dataset.step));
    });
  }
  if (at >= 0) return show();
  at = 0;
  if (!location.hash) go(Number(position) - 1);
}

function startStages(button) {
  const dividers = [...thread.querySelectorAll(".event--stage")];
  const links = [...document.querySelectorAll("a[data-stage]")];
  if (!dividers.length && !links.length) return;
  button.hidden = false;
  const step = Number(button.dataset.stageStep);
  button.addEventListener("click", () => {
    const line = (getComputedStyle(head).position === "sticky" ? head.getBoundingClientRect().bottom : 0) + 48;
    const top = (element) => element.getBoundingClientRect().top;
    const next = step > 0 ? dividers.find((one) => top(one) > line + 8) : dividers.findLast((one) => top(one) < line - 40);
    if (next) return next.scrollIntoView({ block: "start" });
    // None further on this page: the rail knows those before and after it.
    const known = links.map((link) => link.hash.slice(1)).filter((id) => document.getElementById(id));
    const edge = links.findIndex((link) => link.hash.slice(1) === (step > 0 ? known.at(-1) : known[0]));
    const beyond = links[edge + step];
    if (beyond && edge >= 0) beyond.click();
    else if (step < 0) thread.scrollIntoView({ block: "start" });
  });
}

function startText(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const before = button.textContent;
    try {
      const answer = await fetch(button.dataset.copyText);
      if (!answer.ok) throw new Error(String(answer.status));
      await navigator.clipboard.writeText(await answer.text());
      button.textContent = button.dataset.done;
    } catch {
      button.textContent = button.dataset.failed;
    }
    setTimeout(() => (button.textContent = before), 1500);
  });
}

function startPrint(form) {
  const notes = form.querySelector("[data-print-notes]");
  const label = form.querySelector("[data-print-label]");
  label.textContent = label.dataset.printLabel;
  const choose = () => thread.classList.toggle("thread--print-notes", notes.checked);
  notes.addEventListener("change", choose);
  choose();
  form.addEventListener("submit", (event) => {
    if (isWindow) return; // first everything has to be on the page
    event.preventDefault();
    form.closest("details").open = false;
    print();
  });
}

function startActs(act) {
  const summary = act.querySelector("summary");
  act.addEventListener("toggle", () => act.open && act.querySelector("textarea").focus());
  act.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !act.open) return;
    act.open = false;
    summary.focus();
  });
  document.addEventListener("click", (event) => act.contains(event.target) || (act.open = false));
}

startPermalinks();
for (const line of document.querySelectorAll("[data-find]")) startHits(line);
for (const button of document.querySelectorAll("[data-stage-step]")) startStages(button);
for (const button of document.querySelectorAll("[data-copy-text]")) startText(button);
for (const form of document.querySelectorAll("[data-print]")) startPrint(form);
for (const act of document.querySelectorAll(".act")) startActs(act);
