"""What a file storage was configured with, and where its files are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.ended import check_keep_ended
from hueyio.storage.shared.history import check_history_bounds
from hueyio.storage.shared.letters import check_failed_bounds
from hueyio.storage.shared.private_files import DEFAULT_MODE, check_mode

__all__ = ["FOLDER_PREFIX", "FileOptions"]

FOLDER_PREFIX = "queue-"
"""What the name of a queue's folder begins with; a dot in front would be ``.`` and ``..``."""

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """One queue: a subfolder of ``root`` with its journal, its lock and the heartbeats of its owners."""

    name: str
    root: str
    fsync: bool
    timeout: float
    journal_mb: float
    dead_limit: int
    keep_ended: int
    keep_failed: int
    failed_bytes: int
    failed_ttl: float
    keep_history: int
    history_ttl: float
    clock: Callable[[], float]
    mode: int = DEFAULT_MODE

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError(f"FileStorage: name must be a text that is not empty, not {self.name!r}")
        if not isinstance(self.fsync, bool):
            raise ConfigurationError(f"FileStorage: fsync must be True or False, not {self.fsync!r}")
        for field in ("timeout", "journal_mb"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ConfigurationError(f"FileStorage: {field} must be a number from 0, not {value!r}")
        if isinstance(self.dead_limit, bool) or not isinstance(self.dead_limit, int) or self.dead_limit < 1:
            raise ConfigurationError(f"FileStorage: dead_limit must be a whole number from 1, not {self.dead_limit!r}")
        check_keep_ended("FileStorage", self.keep_ended)
        check_failed_bounds("FileStorage", self.keep_failed, self.failed_bytes, self.failed_ttl)
        check_mode("FileStorage", self.mode)
        check_history_bounds("FileStorage", self.keep_history, self.history_ttl)
        if not callable(self.clock):
            raise ConfigurationError(f"FileStorage: clock must be callable, not {self.clock!r}")

    @property
    def folder(self) -> str:
        """The queue's own folder."""
        return os.path.join(self.root, _to_filename(self.name))

    @property
    def journal(self) -> str:
        """The file that says it all."""
        return os.path.join(self.folder, "journal")

    @property
    def lock(self) -> str:
        """The file that is locked."""
        return os.path.join(self.folder, "lock")

    def beat(self, owner: str) -> str:
        """The heartbeat of an owner."""
        return os.path.join(self.folder, "beats", sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32])


def _to_filename(name: str) -> str:
    """Make a name of a folder that no other queue has."""
    encoded = FOLDER_PREFIX + quote(name, safe="", errors="surrogatepass")
    if len(encoded) <= _LONGEST_NAME:
        return encoded
    return f"{FOLDER_PREFIX}{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"
