"""Who changed what, and when?"""

from __future__ import annotations

from typing import Final

from hueyio.control.audit import read_audit
from hueyio.web.filters import read_number
from hueyio.web.view import Page, View

__all__ = ["read"]

_PER_PAGE: Final = 80


async def read(view: View) -> Page:
    """Read the page."""
    entries = await read_audit(view.session, _PER_PAGE, read_number(view.query, "after"))
    after = entries[-1].number if len(entries) == _PER_PAGE else None
    return Page(
        "audit.html",
        "Audit",
        {"entries": entries, "next": None if after is None else view.at.page("audit", {"after": after})},
    )
