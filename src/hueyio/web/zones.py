"""The zone in which times are shown: the browser's, or one that a visitor has chosen, which a cookie keeps.

Pages are made in the chosen zone. Where none is chosen they are made in UTC, and a script shows the browser's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response

from hueyio.named_tuple import NamedTuple
from hueyio.times.wall_time import load_zone
from hueyio.web.refusal import Refusal

__all__ = ["BROWSERS", "ZONE", "Zone", "find_zone", "keep_zone", "read_zone", "zones_by_region"]

ZONE: Final = "hueyio_zone"

_LASTS: Final = 365 * 86400
_LONGEST: Final = 100
_REGIONS: Final = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)


class Zone(NamedTuple):
    """A zone. ``name`` empty: none is chosen, and ``info`` is for browsers without scripts."""

    name: str
    info: tzinfo


BROWSERS: Final = Zone("", UTC)


def find_zone(name: str) -> Zone:
    """Return the zone of a name; raises Refusal."""
    try:
        return BROWSERS if not name else Zone(name, load_zone(name[:_LONGEST]))
    except ValueError:
        raise Refusal(400, "There is no such time zone; the names are like Europe/Paris.") from None


def read_zone(request: Request) -> Zone:
    """Return the zone that the visitor has chosen."""
    try:
        return find_zone(request.cookies.get(ZONE, ""))
    except Refusal:  # chosen on a machine that knows more zones
        return BROWSERS


def keep_zone(request: Request, response: Response, zone: Zone, path: str) -> None:
    """Let the browser keep the choice, or forget it."""
    if not zone.name:
        response.delete_cookie(ZONE, path=path, httponly=True, samesite="lax")
        return
    is_secure = request.url.scheme == "https"
    response.set_cookie(ZONE, zone.name, max_age=_LASTS, path=path, secure=is_secure, httponly=True, samesite="lax")


@cache
def zones_by_region() -> Mapping[str, Sequence[str]]:
    """Return the names that this machine knows, by their region; old spellings without one are left out."""
    found: dict[str, list[str]] = {}
    for name in sorted(available_timezones()):
        region = name.partition("/")[0]
        if region in _REGIONS and "/" in name:
            found.setdefault(region, []).append(name)
    return found
