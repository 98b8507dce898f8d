"""The setting ``HUEYIO``: which queues a project has, and where they are. Nothing is made or imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.exceptions import ConfigurationError
from hueyio.tasks.given import closest

__all__ = ["DEFAULT", "QueueSettings", "SettingsError", "read_settings"]

DEFAULT: Final = "default"
"""The queue of the tasks that name none."""

_KEYS: Final = ("CLASS", "NAME", "URL", "FILE", "OPTIONS")
_OF_REDIS: Final = ("redis://", "rediss://", "unix://")
_EXAMPLE: Final = 'HUEYIO = {"default": {"FILE": BASE_DIR / "tasks.db"}}'


class SettingsError(ConfigurationError, ImproperlyConfigured):
    """A setting of the Django project cannot be used; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """What the settings say of one queue."""

    alias: str
    """By which the project names it."""
    made_by: str
    """The path of the class."""
    name: str
    options: Mapping[str, Any]
    where: str
    """The setting that says so, for errors."""


def read_settings(given: object) -> dict[str, QueueSettings | Huey]:
    """Return the queues of a project by their aliases; a value that is a Huey is taken as it is.

    Raises SettingsError.
    """
    if given is None:
        raise SettingsError(f"HUEYIO is not set; write into your settings, for example, {_EXAMPLE}")
    if not isinstance(given, Mapping) or not given:
        raise SettingsError(f"HUEYIO must be a dict of queues, such as {_EXAMPLE}, and this is {_kind_of(given)}")
    if is_one_queue := any(key in _KEYS for key in given):
        given = {DEFAULT: given}
    if DEFAULT not in given:
        raise SettingsError(f"HUEYIO has no queue {DEFAULT!r}, which tasks are in that name none")
    return {
        alias: _read_queue(alias, it, "HUEYIO" if is_one_queue else f"HUEYIO[{alias!r}]") for alias, it in given.items()
    }


def _read_queue(alias: object, given: object, where: str) -> QueueSettings | Huey:
    if not isinstance(alias, str) or not alias.isidentifier() or alias.startswith("_"):
        raise SettingsError(f"HUEYIO: {alias!r} is no name of a queue: letters, digits and _ only, no digit or _ first")
    if isinstance(given, (Huey, SyncHuey)):
        return given.aio if isinstance(given, SyncHuey) else given
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where} must be a dict with {', '.join(_KEYS)}, or a Huey, and this is {_kind_of(given)}")
    for key in given:
        if key not in _KEYS:
            meant = closest(str(key).upper(), _KEYS)
            raise SettingsError(
                f"{where} knows {', '.join(_KEYS)}, not {key!r}{f'; did you mean {meant}?' if meant else ''}"
            )
    options = given.get("OPTIONS", {})
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise SettingsError(
            f"{where}: OPTIONS must be a dict of keywords of the class, and this is {_kind_of(options)}"
        )
    return QueueSettings(
        alias=alias,
        made_by=_class_of(given, where),
        name=given.get("NAME", alias),
        options={**options, **_place_of(given)},
        where=where,
    )


def _class_of(given: Mapping[Any, Any], where: str) -> str:
    """Return the path of the class: the one that is named, else the usual one for such a place."""
    made_by, url = given.get("CLASS"), given.get("URL")
    if made_by is not None:
        if not isinstance(made_by, str):
            raise SettingsError(
                f"{where}: CLASS must be the path of a class, such as 'hueyio.RedisHuey', not {made_by!r}"
            )
        return made_by
    if url is not None and given.get("FILE") is not None:
        raise SettingsError(f"{where} names two places, URL and FILE: give one of them")
    if given.get("FILE") is not None:
        return "hueyio.SqliteHuey"
    if url is None:
        raise SettingsError(f"{where} names no place: give FILE for an SQLite file, URL for a server, or CLASS")
    if not str(url).startswith(_OF_REDIS):
        raise SettingsError(f"{where}: URL must begin with {', '.join(_OF_REDIS)}; for another server name its CLASS")
    return "hueyio.RedisHuey"


def _place_of(given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the place as keywords of the class."""
    place: dict[str, Any] = {}
    if given.get("URL") is not None:
        place["url"] = given["URL"]
    if given.get("FILE") is not None:
        place["path" if str(given.get("CLASS", "")).endswith("FileHuey") else "filename"] = given["FILE"]
    return place


def _kind_of(value: object) -> str:
    """Say what a value is, without itself: it may have a password."""
    return "empty" if isinstance(value, Mapping) and not value else f"a {type(value).__name__}"
