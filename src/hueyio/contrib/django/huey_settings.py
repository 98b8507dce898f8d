"""The setting ``HUEY`` of Huey's own Django app, for a project that comes from it. Nothing is made or imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hueyio.app import Huey
from hueyio.app.sync_huey import SyncHuey
from hueyio.contrib.django.settings import DEFAULT, QueueSettings, SettingsError

__all__ = ["read_huey", "worker_variables"]

_NOT_CARRIED_OVER: Final = ("huey.contrib.",)
_OWN: Final = ("name", "huey_class", "connection", "consumer", "immediate")


def read_huey(given: object, name: str, debug: bool) -> QueueSettings | Huey:
    """Return the queue of the setting; ``name`` is what Huey calls it by default: that of the database.

    In debug mode it is immediate, unless the setting says otherwise, as in Huey. Raises SettingsError.
    """
    if isinstance(given, (Huey, SyncHuey)):
        return given.aio if isinstance(given, SyncHuey) else given
    if not isinstance(given, Mapping):
        raise SettingsError(f"HUEY must be a dict, or a Huey of hueyio, and this is a {type(given).__name__}")
    connection = given.get("connection") or {}
    if not isinstance(connection, Mapping):
        raise SettingsError(
            f"HUEY: connection must be a dict of keywords of the class, and this is a {type(connection).__name__}"
        )
    options: dict[str, Any] = {key: value for key, value in given.items() if key not in _OWN}
    return QueueSettings(
        alias=DEFAULT,
        made_by=_class_of(given.get("huey_class", "huey.RedisHuey")),
        name=str(given.get("name", name)),
        options={**options, "immediate": bool(given.get("immediate", debug)), **connection},
        where="HUEY",
    )


def worker_variables(given: object) -> dict[str, str]:
    """Return what ``consumer`` of the setting says to a worker, as variables of its environment.

    Its other keys are of Huey's threads and processes, which there are none of.
    """
    consumer = given.get("consumer") if isinstance(given, Mapping) else None
    if not isinstance(consumer, Mapping):
        return {}
    workers = {"HUEYIO_WORKERS": str(consumer["workers"])} if "workers" in consumer else {}
    return workers | ({} if consumer.get("periodic", True) else {"HUEYIO_NO_PERIODIC": "1"})


def _class_of(path: object) -> str:
    """Return the path of hueyio's class for one of Huey's; others are the project's own."""
    if not isinstance(path, str):
        raise SettingsError(f"HUEY: huey_class must be the path of a class, such as 'hueyio.RedisHuey', not {path!r}")
    if path.startswith(_NOT_CARRIED_OVER):
        raise SettingsError(f"HUEY: hueyio has no {path}; see which classes there are in its reference of storages")
    return f"hueyio.{path.removeprefix('huey.')}" if path.startswith("huey.") else path
