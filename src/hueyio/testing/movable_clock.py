"""A clock that a test puts forward."""

from __future__ import annotations

import time

__all__ = ["MovableClock"]


class MovableClock:
    """Epoch seconds: the host's time, and what the test has let pass beside it.

    It follows whatever sets the host's time (freezegun, time-machine). While it is held it stands still.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._held: float | None = None

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time() + self._ahead if self._held is None else self._held

    def hold(self, at: float) -> None:
        """Stand still at a moment."""
        self._held = at

    def go_on(self) -> None:
        """Go on from where it stands."""
        if self._held is not None:
            self._ahead = self._held - time.time()
            self._held = None
