"""What holds tasks back? A pause, revocations, locks, semaphores and rate limits."""

from __future__ import annotations

import asyncio
from typing import Final

from hueyio.control.pause import read_pause
from hueyio.control.revoke import find_revoked_names
from hueyio.limits.held import find_held
from hueyio.limits.rates import find_rates
from hueyio.web.portion import portion_of
from hueyio.web.view import Page, View

__all__ = ["read"]

_MOST: Final = 1000
_HELD: Final = 40
_SHORT: Final = 60


async def read(view: View) -> Page:
    """Read the page."""
    held, revoked, rates, paused = await asyncio.gather(
        find_held(view.session, _MOST),
        find_revoked_names(view.session, _MOST),
        find_rates(view.session, _MOST),
        view.session.paused(),
    )
    values = {
        # What is not shown by its name cannot be freed by it either.
        "held": portion_of(view, [(view.redaction.held(it), it.name) for it in held], _HELD, "held"),
        "revoked": portion_of(view, revoked, _SHORT, "revoked"),
        "rates": portion_of(view, [view.redaction.rate(it) for it in rates], _SHORT, "rates"),
        "paused": read_pause(paused),
    }
    return Page("limits.html", "Limits", values)
