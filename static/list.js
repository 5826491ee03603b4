// On the list: selecting rows, and the quiet notice of what has changed since it was shown.

const EVERY = 25_000; // milliseconds between two questions, while the page is visible

function startSelection(form) {
  const boxes = [...document.querySelectorAll(".row__check")];
  const page = document.querySelector("[data-check-page]");
  const all = form.querySelector("[data-bulk-all]");
  const number = form.querySelector("[data-bulk-number]");
  let last = null;

  const show = () => {
    const picked = boxes.filter((box) => box.checked).length;
    number.textContent = all?.checked ? number.dataset.all : number.dataset.some.replace("{number}", picked);
    page.checked = picked === boxes.length;
    page.indeterminate = picked > 0 && picked < boxes.length;
    if (all && picked < boxes.length) all.checked = false;
  };
  page.hidden = false;
  page.nextElementSibling.remove();
  page.addEventListener("change", () => {
    for (const box of boxes) box.checked = page.checked;
    show();
  });
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) {
    box.addEventListener("change", show);
    box.addEventListener("click", (event) => {
      // With shift: all from the one before to this one.
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
      if (event.shiftKey && from >= 0) for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
      last = box;
      show();
    });
  }
  form.addEventListener("reset", () => setTimeout(show));
  addEventListener("pageshow", show);
}

function startLive(bar) {
  const text = bar.querySelector("[data-live-text]");
  const address = new URL(bar.dataset.live, location.href);
  address.searchParams.set("since", bar.dataset.since);
  address.searchParams.set("of", bar.dataset.of);
  let tag = "";
  let timer = 0;

  async function ask() {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(address, { headers: tag ? { "If-None-Match": tag } : {} });
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") ?? "";
          const news = await answer.json();
          text.textContent = news.text;
          bar.hidden = !news.count;
        } else if (answer.redirected || answer.status === 403) {
          return; // signed out: asking again would not help
        }
      } catch {
        // The server is away; the next question may reach it.
      }
    }
    timer = setTimeout(ask, EVERY);
  }
  timer = setTimeout(ask, EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
}

for (const form of document.querySelectorAll("#bulk")) startSelection(form);
for (const bar of document.querySelectorAll("[data-live]")) startLive(bar);
