// In a transcript: walk the hits of the search that led here.

function startHits(line) {
  const numbers = line.dataset.hits.split(" ").filter(Boolean);
  if (!numbers.length) return;
  const status = line.querySelector("[data-hit-status]");
  let at = numbers.findIndex((number) => location.hash === `#m-${number}`);

  const go = (index) => {
    at = (index + numbers.length) % numbers.length;
    // replace, so that "back" leaves the transcript instead of walking through its hits
    location.replace(`#m-${numbers[at]}`);
    status.textContent = `${at + 1} of ${numbers.length} messages with`;
  };
  for (const button of line.querySelectorAll("[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => go(at + Number(button.dataset.step)));
  }
  line.querySelector("[data-first-hit]").hidden = true;
  if (!location.hash || at >= 0) go(Math.max(at, 0));
}

for (const line of document.querySelectorAll("[data-hits]")) startHits(line);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
