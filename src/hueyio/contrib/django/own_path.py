"""Which folders are a project's own, and which any Python of this installation has."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from typing import Final

__all__ = ["is_installed", "own_path"]


def own_path(path: Sequence[str]) -> list[str]:
    """Return where a project's modules are found, of a ``sys.path``: what a worker has to be told.

    A project may be below ``sys.prefix``, such as ``/usr/src/app``, or around it, if its environment is.
    """
    return [it for it in path if it and not is_installed(it) and os.path.basename(it) != _ZIP]


def is_installed(folder: str) -> bool:
    """Whether a folder is that of the standard library or of installed packages, or below one."""
    return any(folder == each or folder.startswith(each + os.sep) for each in _INSTALLED)


_ZIP: Final = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
_INSTALLED: Final = {
    *site.getsitepackages(),
    site.getusersitepackages(),
    *(sysconfig.get_path(it) for it in ("stdlib", "platstdlib", "purelib", "platlib")),
}
