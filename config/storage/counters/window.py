"""The arithmetic of a sliding window that is kept as two counters.

A name's first request opens a window, of 60 seconds unless it says otherwise; the next begins where it ends. Of each
name we keep when the present window began, how many requests were counted since, and how many in the window before.
What was counted before weighs less with each millisecond, until it has passed out of sight:

    use = before * (span - 1 - elapsed) / span + counted

A request is admitted, and counted, while the use is below the limit. A refused one is not counted: who keeps asking
does not wait longer. Windows begin with a request and not with the minute of the clock, so that whoever was quiet gets
the whole limit and nothing more, at whatever second they start.
"""

from typing import NamedTuple

SPAN = 60_000
"""Milliseconds of a window that does not say otherwise."""

LONGEST = 5 * SPAN
"""Milliseconds of the longest window; what is older than two of them is forgotten."""


class Window(NamedTuple):
    """At most ``limit`` requests in ``span`` milliseconds, 1 or more, under ``name``, which always has that span."""

    name: str
    limit: int
    span: int = SPAN

    @property
    def allowance(self) -> int:
        """The limit in the unit in which use is compared: requests times milliseconds."""
        return self.limit * self.span

    def use(self, moment: int, kept: tuple[int, int, int] | None) -> "Use":
        """What a request at ``moment`` leaves of the window, whose start and two counts were ``kept``."""
        started, counted, before = kept or (moment, 0, 0)
        late, span = moment - started, self.span
        if span <= late < 2 * span:
            started, counted, before = started + span, 0, counted
        elif not -span < late < span:  # a clock that is a little behind still counts in the same window
            started, counted, before = moment, 0, 0
        weight = span - 1 - max(moment - started, 0)
        admitted = before * weight + counted * span < self.limit * span
        return Use(self, moment, started, counted + admitted, before, admitted)


class Use(NamedTuple):
    """What one request found, and left, of a window. Moments are milliseconds since 1970."""

    window: Window
    moment: int
    started: int
    counted: int
    before: int
    admitted: bool

    @property
    def elapsed(self) -> int:
        """Milliseconds of the present window. Processes' clocks may be read in another order than they count."""
        return min(max(self.moment - self.started, 0), self.window.span - 1)

    @property
    def remaining(self) -> int:
        """How many more requests would be admitted at once."""
        span = self.window.span
        rest = self.window.allowance - self.before * (span - 1 - self.elapsed) - self.counted * span
        return max(0, -(-rest // span))

    @property
    def reset(self) -> int:
        """Whole seconds until the present window ends; for a refused request at least until it may come again."""
        rest = _seconds(self.window.span - self.elapsed)
        return rest if self.admitted else max(rest, self.retry_after)

    @property
    def retry_after(self) -> int:
        """Whole seconds after which a request is admitted, unless others came first."""
        return max(1, _seconds(self._wait))

    @property
    def _wait(self) -> int:
        span = self.window.span
        room = self.window.allowance - self.counted * span
        if room > 0:  # in this window, as soon as what was counted before weighs less than the room
            return max(0, _elapsed_until(self.before, room, span) - self.elapsed)
        return span - self.elapsed + _elapsed_until(self.counted, self.window.allowance, span)


def _elapsed_until(before: int, room: int, span: int) -> int:
    """The first millisecond of a window in which ``before`` weighs less than ``room``, which is above 0."""
    return max(0, span - 1 - (room - 1) // before) if before else 0


def _seconds(milliseconds: int) -> int:
    return -(-milliseconds // 1000)
