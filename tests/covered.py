"""``python -m tests.covered FILE``: whether the tests run through enough of the source, by coverage's own JSON report.

Coverage's limit is one for lines and branches together; lines are many, and would hide the branches.
"""

import json
import sys
from pathlib import Path

LINES, BRANCHES = 95.0, 90.0
WORST = 12
"""Files that are named, those with the most to gain first."""


def main(report: Path) -> int:
    """0 where there is enough."""
    told = json.loads(report.read_text())
    totals = told["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    for name, file in sorted(told["files"].items(), key=lambda item: -_missing(item[1]))[:WORST]:
        print(f"{_missing(file):5} not run through in {name}")
    print(f"lines {lines:.1f} % (of {LINES:.0f}), branches {branches:.1f} % (of {BRANCHES:.0f})")
    return int(lines < LINES or branches < BRANCHES)


def _missing(file: dict[str, dict[str, int]]) -> int:
    return file["summary"]["missing_lines"] + file["summary"]["missing_branches"]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
