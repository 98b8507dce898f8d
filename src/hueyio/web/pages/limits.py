"""What holds tasks back? A pause, revocations, locks, semaphores and rate limits."""

from __future__ import annotations

import asyncio
from typing import Final

from hueyio.control.pause import read_pause
from hueyio.control.revoke import find_revoked_names
from hueyio.limits.held import find_held
from hueyio.limits.rates import find_rates
from hueyio.web.view import Page, View

__all__ = ["read"]

_MOST: Final = 1000


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
        "held": [(shown, shown.name == it.name) for it, shown in ((it, view.redaction.held(it)) for it in held)],
        "revoked": revoked,
        "rates": [view.redaction.rate(it) for it in rates],
        "paused": read_pause(paused),
    }
    return Page("limits.html", "Limits", values)
