"""In which zone shall times be shown?"""

from __future__ import annotations

from hueyio.web.view import Page, View
from hueyio.web.zones import zones_by_region

__all__ = ["read"]


def read(view: View, back: str) -> Page:
    """Return the page, which leads ``back`` to the one before."""
    return Page("zone.html", "Time zone", {"regions": zones_by_region(), "next": back})
