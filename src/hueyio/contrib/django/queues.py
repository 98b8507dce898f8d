"""The Hueys of a Django project, made from its settings when the first one is asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.django.huey_settings import read_huey
from hueyio.contrib.django.settings import DEFAULT, QueueSettings, SettingsError, read_settings
from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError

__all__ = ["PROJECT", "all_hueys", "get_huey", "path_of"]

PROJECT: Final = "hueyio.contrib.django.project"
"""The module that a worker imports for these queues."""


def get_huey(alias: str = DEFAULT) -> Huey:
    """Return the Huey of a queue of the settings; the same one each time. Raises SettingsError."""
    hueys = all_hueys()
    if alias not in hueys:
        raise SettingsError(f"HUEYIO has no queue {alias!r}; there are: {', '.join(hueys)}")
    return hueys[alias]


def all_hueys() -> Mapping[str, Huey]:
    """Return all of them by their aliases. Raises SettingsError."""
    with _making:
        if not _made:
            _made.update(_make_all())
        return _made


def path_of(alias: str) -> str:
    """Return what a worker calls the queue of this alias."""
    return f"{PROJECT}:{alias}"


def _make_all() -> dict[str, Huey]:
    queues = _read()
    hueys = {alias: it if isinstance(it, Huey) else make_huey(it) for alias, it in queues.items()}
    for huey in hueys.values():
        core_of(huey).home = PROJECT
    return hueys


def _read() -> Mapping[str, QueueSettings | Huey]:
    """Return what the settings say; those of Huey's own app count where there are none of hueyio's."""
    if not hasattr(settings, "HUEYIO") and hasattr(settings, "HUEY"):
        name = str(settings.DATABASES.get("default", {}).get("NAME") or "huey")
        return {DEFAULT: read_huey(settings.HUEY, name, settings.DEBUG)}
    return read_settings(getattr(settings, "HUEYIO", None))


def make_huey(queue: QueueSettings) -> Huey:
    """Make the Huey of a queue; raises SettingsError."""
    where = queue.where
    try:
        made_by = import_string(queue.made_by)
    except ImportError as error:
        raise SettingsError(f"{where}: there is no class {queue.made_by!r}: {error}") from error
    try:
        huey: object = made_by(queue.name, **queue.options)
    except (ConfigurationError, TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error
    if isinstance(huey, SyncHuey):  # a class of hueyio.blocking
        huey = huey.aio
    if not isinstance(huey, Huey):
        raise SettingsError(f"{where}: {queue.made_by} makes no Huey, but {huey!r}")
    return huey


_making: Final = threading.RLock()  # to import a class may lead here again
_made: Final[dict[str, Huey]] = {}
"""By alias; empty until one is asked for."""
