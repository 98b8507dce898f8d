"""The file that is run as a script: ``__main__`` in its own process, and another name wherever it is imported.

Theory of operation. ``python app.py`` and ``hueyio worker app:huey`` are two processes with the same file. The one
calls its class ``__main__.Order``, the other ``app.Order``. So that a task is the same one in both, whoever runs the
file as a script declares it by the name that others import it by: ``import_name`` finds it. What is pickled names the
class as its process does, and is read as follows:

* ``app.Order`` in the process of the script is its own class, and the file is not run a second time; where the script
  has imported ``app`` all the same, it is the class of that module.
* ``__main__.Order`` elsewhere is the class of that name in a module which declares tasks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib.machinery import PathFinder
from typing import Any, Final

__all__ = ["import_name", "module_here", "names_main", "note_module"]

_MAIN: Final = "__main__"
_MAINS: Final = (_MAIN, "__mp_main__")
"""The second is what a pool process and ``multiprocessing`` call the file that their parent runs."""

_names: Final[set[str]] = set()
"""By which others import what is ``__main__`` here. Written by the declaration of its first task, never emptied."""
_marks: Final[set[bytes]] = set()
"""How a pickle names such a module: as a short text, and in the oldest protocols as an instruction."""
_homes: Final[dict[str, None]] = {}
"""Modules that declare tasks here, in their order: one of them may be another process's ``__main__``."""


def note_module(module: str, names: Mapping[str, Any]) -> str:
    """Note that a module declares tasks, given its globals; return the name by which other processes import it."""
    if module != _MAIN:
        _homes[module] = None
        return module
    name = import_name(names)
    if name != _MAIN:
        _names.add(name)
        text = name.encode()
        _marks.update((b"\x8c" + bytes([len(text) % 256]) + text, b"c" + text + b"\n"))
    return name


def import_name(names: Mapping[str, Any]) -> str:
    """Return the name by which the module with these globals is imported; ``__main__`` if there is none."""
    spec, file = names.get("__spec__"), names.get("__file__")
    if spec is not None:  # python -m shop.app
        return str(spec.name)
    return _name_of_file(os.path.abspath(file)) if isinstance(file, str) else _MAIN


def names_main(data: bytes) -> bool:
    """Say whether a pickle may name what is ``__main__`` here by the name that others have for it."""
    for mark in _marks:  # noqa: SIM110  every read comes here, and any() takes 0.3 us more
        if mark in data:
            return True
    return False


def module_here(module: str, name: str) -> str:
    """Return the module in which a class is found that a pickle names."""
    if module in _names and _MAIN in sys.modules:
        return module if _finds(sys.modules.get(module), name) else _MAIN
    if module not in _MAINS or _finds(sys.modules.get(_MAIN), name):
        return _MAIN if module in _MAINS else module
    homes = [home for home in _homes if _is_at_home(home, name)]
    return homes[0] if len(homes) == 1 else module


@cache
def _name_of_file(path: str) -> str:
    folder, file = os.path.split(path)
    name, extension = os.path.splitext(file)
    if extension != ".py" or not name.isidentifier():
        return _MAIN
    if os.path.exists(os.path.join(folder, "__init__.py")):
        return _name_in_package(folder, name)
    found = PathFinder.find_spec(name)
    return name if found is not None and found.origin is not None and _is_same(found.origin, path) else _MAIN


def _name_in_package(folder: str, name: str) -> str:
    while os.path.exists(os.path.join(folder, "__init__.py")):
        parent, package = os.path.split(folder)
        if parent == folder:  # the root of the file system, which has no name
            break
        folder, name = parent, f"{package}.{name}"
    return name


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is gone, or is inside of an archive
        return False


def _is_at_home(home: str, name: str) -> bool:
    """Say whether a module has what is named, and has not got it from elsewhere."""
    found = _found_in(sys.modules.get(home), name)
    return found is not None and getattr(found, "__module__", home) == home


def _finds(module: object, name: str) -> bool:
    return _found_in(module, name) is not None


def _found_in(module: object, name: str) -> object:
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
