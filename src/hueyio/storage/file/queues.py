"""Which queues there are in a folder: for whoever has a path and no app. It only reads, before anything is opened."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from hueyio.storage.file.options import FOLDER_PREFIX
from hueyio.wording import up_to

__all__ = ["count_tasks_of_huey", "find_queues"]

_OF_HUEY: Final = {
    "queue": re.compile(r"[0-9a-f]{4}-[0-9a-f]{12}(\.\d+)?"),  # priority and time
    "schedule": re.compile(r"[0-9a-f]{12}(\.\d+)?"),
}
"""Folders in which Huey's FileHuey has tasks, and how it calls their files."""

_MOST: Final = 1000
"""Tasks that are counted in a folder: a worker that starts need not wait for a count of millions."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def find_queues(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the queues in a folder, by name; one whose name is longer than a file's is left out."""
    names = [it.parent.name.removeprefix(FOLDER_PREFIX) for it in Path(path).glob(f"{FOLDER_PREFIX}*/journal")]
    return sorted(unquote(name) for name in names if not _HASH.fullmatch(name))


def count_tasks_of_huey(path: str | os.PathLike[str]) -> str:
    """Say how many tasks Huey has in the same folder, ready or scheduled; empty for none."""
    count = 0
    for folder, name in _OF_HUEY.items():
        with suppress(OSError), os.scandir(os.path.join(path, folder)) as entries:
            found = (1 for entry in entries if name.fullmatch(entry.name))
            count += sum(islice(found, _MOST))
    return up_to(_MOST, count) if count else ""
