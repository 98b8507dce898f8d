"""Where a command looks: the app, a server or a file, from the command line, the environment or ``pyproject.toml``.

The first of the three that names any of them wins as a whole, so that no url of one meets a file of another. Only the
queue's name may be given beside what the others say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hueyio.exceptions import ConfigurationError

__all__ = ["Place", "find_place"]

_WAYS: Final = ("app", "url", "file")
_VARIABLES: Final = {"app": "HUEYIO_APP", "url": "HUEYIO_URL", "file": "HUEYIO_FILE", "queue": "HUEYIO_QUEUE"}
_FROM_ENVIRONMENT: Final = "env:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of ``app``, ``url`` and ``file`` is given; ``queue`` names the queue at the latter two."""

    app: str | None = None
    url: str | None = None
    file: str | None = None
    queue: str | None = None

    def ways(self) -> list[str]:
        """List which ways to a queue are given."""
        return [way for way in _WAYS if getattr(self, way)]


def find_place(given: Place, environment: Mapping[str, str], folder: Path) -> Place:
    """Return where to look; raises ConfigurationError if nothing says it, or two things do.

    ``given`` is what the command line says; ``folder`` is the current one: ``pyproject.toml`` is looked for there and
    in all above it.
    """
    found = _first(given, environment, folder)
    if given.queue is not None:
        found = replace(found, queue=given.queue)
    if found.app is not None and found.queue is not None:
        raise ConfigurationError(f"{found.app} says itself which queue it is: leave --queue {found.queue} out")
    return found


def _first(given: Place, environment: Mapping[str, str], folder: Path) -> Place:
    # A file that nobody needs is not read: it may be broken.
    sources: tuple[tuple[str, Callable[[], Place]], ...] = (
        ("the command line", lambda: given),
        ("the environment", lambda: _from_environment(environment)),
        ("pyproject.toml", lambda: _from_project(environment, folder)),
    )
    for source, read in sources:
        place = read()
        ways = place.ways()
        if len(ways) > 1:
            raise ConfigurationError(f"{source} names two places, {' and '.join(ways)}: give one of them")
        if ways:
            return place
    raise ConfigurationError(
        "where is the queue? Say -a module:attribute, or --url or --file with --queue; or set HUEYIO_APP, or app in "
        "[tool.hueyio] of pyproject.toml"
    )


def _from_environment(environment: Mapping[str, str]) -> Place:
    # What is set and empty is not given.
    return Place(**{key: environment.get(name) or None for key, name in _VARIABLES.items()})


def _from_project(environment: Mapping[str, str], folder: Path) -> Place:
    """Read the nearest ``pyproject.toml`` that says anything of hueyio."""
    for directory in (folder, *folder.parents):
        path = directory / "pyproject.toml"
        table = _read_table(path)
        if table is not None:
            return Place(**{key: _text(path, key, table.get(key), environment) for key in _VARIABLES})
    return Place()


def _read_table(path: Path) -> dict[str, Any] | None:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    table = read.get("tool", {}).get("hueyio")
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{path}: [tool.hueyio] must be a table, not {type(table).__name__}")
    unknown = sorted(set(table or ()) - set(_VARIABLES))
    if unknown:
        raise ConfigurationError(f"{path}: [tool.hueyio] knows {', '.join(_VARIABLES)}, not {', '.join(unknown)}")
    return table


def _text(path: Path, key: str, value: object, environment: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"{path}: {key} in [tool.hueyio] must be a text that is not empty, not {type(value).__name__}"
        )
    if not value.startswith(_FROM_ENVIRONMENT):
        return value
    name = value.removeprefix(_FROM_ENVIRONMENT)
    if not environment.get(name):
        raise ConfigurationError(f"{path}: {key} in [tool.hueyio] is {value!r}, and {name} is not set")
    return environment[name]
