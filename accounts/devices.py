"""What a browser says of itself, in words for people."""

import re

from django.utils.translation import gettext as _

BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrom(e|ium)/|CriOS/"),
    ("Safari", r"Safari/"),
)
SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)
"""What a browser calls itself says more than is true of it: the first that fits counts."""

NO_ADDRESS = "0.0.0.0"  # noqa: S104  kept for a client whose address cannot be read


def device_of(user_agent: str) -> str:
    """``Firefox on Linux``, as far as a browser says."""
    browser, system = (
        next((name for name, sign in signs if re.search(sign, user_agent)), "") for signs in (BROWSERS, SYSTEMS)
    )
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")
