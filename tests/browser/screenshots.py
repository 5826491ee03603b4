"""``python -m tests.browser.screenshots [FOLDER]``: every page of the demo, at each width and in both themes."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.browser.demo import Demo, demo, sign_in
from tests.browser.looks import CHROMIUM, QUIET, SCHEMES, WIDTHS

DEFAULT = Path("artefacts") / "screenshots"
PATHS = {
    "list": "/conversations/",
    "list-search": "/conversations/?search=price",
    "list-no-results": "/conversations/?search=nothing+of+the+kind&channel=email",
    "names": "/settings/names/",
    "preferences": "/settings/preferences/",
    "not-found": "/nothing",
    "docs": "/api/docs",
}


def shoot(
    chromium: Any, server: Demo, folder: Path, *, widths: Sequence[int] = WIDTHS, schemes: Sequence[str] = SCHEMES
) -> list[Path]:
    """The pages as the demo's owner sees them, as ``<page>-<width>-<theme>.png`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(base_url=server.address, reduced_motion="reduce")
    page = context.new_page()
    written = []

    def take(name: str) -> None:
        page.wait_for_load_state("networkidle")
        for width in widths:
            for scheme in schemes:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                written.append(folder / f"{name}-{width}-{scheme}.png")
                page.screenshot(path=written[-1])

    page.goto("/login/")
    take("login")
    sign_in(page, server)
    for name, path in PATHS.items():
        page.goto(path)
        take(name)
    page.goto("/conversations/?status=handed_off")
    transcript = page.locator(".row__link").first.get_attribute("href")
    ids = [box.get_attribute("value") for box in page.locator(".row__check").all()[:3]]
    page.goto(transcript)
    take("transcript")
    page.goto(f"/conversations/bulk/?to=completed&{'&'.join(f'id={pk}' for pk in ids)}")
    take("bulk")
    context.close()
    return written


def main(arguments: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    if not CHROMIUM:
        print("Chromium is not installed: apt-get install chromium, or name it in CHROMIUM", file=sys.stderr)
        return 1
    folder = Path(arguments[0]) if arguments else DEFAULT
    with tempfile.TemporaryDirectory(prefix="parley-") as store, demo(Path(store)) as server, sync_playwright() as run:
        browser = run.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        written = shoot(browser, server, folder)
        browser.close()
    print(f"{len(written)} images in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
