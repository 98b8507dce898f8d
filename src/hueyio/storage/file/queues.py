"""Which queues there are in a folder: for whoever has a path and no app. It only reads, before anything is opened."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from hueyio.storage.file.options import FOLDER_PREFIX

__all__ = ["find_queues"]

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def find_queues(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the queues in a folder, by name; one whose name is longer than a file's is left out."""
    names = [it.parent.name.removeprefix(FOLDER_PREFIX) for it in Path(path).glob(f"{FOLDER_PREFIX}*/journal")]
    return sorted(unquote(name) for name in names if not _HASH.fullmatch(name))
