"""What looks at a storage without its application, for a program without any ``async``."""

from __future__ import annotations

from typing import Self

from hueyio.app import base_storage, inspector
from hueyio.app.sync_base_storage import SyncBaseStorage
from hueyio.app.sync_inspector import SyncInspector
from hueyio.loops.portal import block_on
from hueyio.storage.contract import Storage

__all__ = ["BaseStorage", "Inspector"]


class BaseStorage(SyncBaseStorage):
    """Huey's storage methods, on top of ``storage`` (``BaseStorage(huey.storage)``); see ``hueyio.BaseStorage``."""

    __slots__ = ()

    def __init__(self, storage: Storage, result_ttl: float | None = None) -> None:
        super().__init__(base_storage.BaseStorage(storage, result_ttl))


class Inspector(SyncInspector):
    """Lists the tasks of a storage, and says what is known of one; see ``hueyio.Inspector``."""

    __slots__ = ()

    def __init__(self, storage: Storage) -> None:
        super().__init__(inspector.Inspector(storage))

    @classmethod
    def from_url(cls, url: str, queue: str = "huey") -> Self:
        """Look at a queue of a server or of a database; see ``hueyio.Inspector.from_url``."""
        return cls(block_on(inspector.Inspector.from_url(url, queue)).storage)
