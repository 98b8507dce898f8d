"""The same API for code that blocks: Django and Flask views, scripts, ``def`` tasks, the REPL."""

from hueyio.sync.blocking import blocking
from hueyio.sync.portal import block_here, block_on
from hueyio.sync.results import SyncResult, SyncResultGroup, to_sync
from hueyio.sync.tasks import SyncTask

__all__ = ["SyncResult", "SyncResultGroup", "SyncTask", "block_here", "block_on", "blocking", "to_sync"]
