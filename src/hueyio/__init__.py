"""Huey's API on asyncio: a task queue."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hueyio import exceptions, signals
from hueyio.app import Huey
from hueyio.consumer.options import ConsumerOptions
from hueyio.exceptions import *  # pyright: ignore[reportWildcardImportFromLibrary]
from hueyio.execution.context import current_task
from hueyio.execution.log_filter import TaskLogFilter
from hueyio.handles.chord_result import ChordResult
from hueyio.handles.result import Result, ResultGroup
from hueyio.handles.sync_result import SyncResult, SyncResultGroup
from hueyio.handles.wrapper import TaskWrapper
from hueyio.limits.lock import Semaphore, TaskLock
from hueyio.limits.rate_limit import RateLimit
from hueyio.messages.member_result import SKIPPED
from hueyio.messages.stored_result import Error
from hueyio.schedules.stored import ScheduleInfo
from hueyio.serializer import JSONSerializer, Serializer, SignedSerializer
from hueyio.signals import *  # pyright: ignore[reportWildcardImportFromLibrary]
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.enqueue import Enqueue
from hueyio.tasks.progress import Progress
from hueyio.tasks.states import TaskState
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

if TYPE_CHECKING:
    from hueyio.app.base_storage import BaseStorage
    from hueyio.app.empty_data import EmptyData
    from hueyio.app.inspector import Inspector
    from hueyio.app.presets.blackhole import BlackHoleHuey
    from hueyio.app.presets.file import FileHuey
    from hueyio.app.presets.memory import MemoryHuey
    from hueyio.app.presets.postgres import PostgresHuey
    from hueyio.app.presets.redis import PriorityRedisExpireHuey, PriorityRedisHuey, RedisExpireHuey, RedisHuey
    from hueyio.app.presets.sqlite import SqliteHuey
    from hueyio.consumer.consumer import Consumer
    from hueyio.control.audit import AuditEntry
    from hueyio.control.consumers import ConsumerInfo
    from hueyio.control.dead_letters import DeadTask
    from hueyio.control.failed_tasks import FailedTask
    from hueyio.control.history import Attempt, EndedTask, HistoryPage
    from hueyio.control.listing import TaskPage
    from hueyio.control.pause import PauseInfo
    from hueyio.control.statistics import QueueStatistics
    from hueyio.control.task_details import TaskDetails
    from hueyio.control.task_info import TaskInfo
    from hueyio.serializer.encrypted import EncryptedSerializer

__all__ = [
    "SKIPPED",
    "Attempt",
    "AuditEntry",
    "BaseStorage",
    "BlackHoleHuey",
    "ChordResult",
    "Consumer",
    "ConsumerInfo",
    "ConsumerOptions",
    "DeadTask",
    "EmptyData",
    "EncryptedSerializer",
    "EndedTask",
    "Enqueue",
    "Error",
    "FailedTask",
    "FileHuey",
    "HistoryPage",
    "Huey",
    "Inspector",
    "JSONSerializer",
    "MemoryHuey",
    "PauseInfo",
    "PostgresHuey",
    "PriorityRedisExpireHuey",
    "PriorityRedisHuey",
    "Progress",
    "QueueStatistics",
    "RateLimit",
    "RedisExpireHuey",
    "RedisHuey",
    "Result",
    "ResultGroup",
    "ScheduleInfo",
    "Semaphore",
    "Serializer",
    "SignedSerializer",
    "SqliteHuey",
    "SyncResult",
    "SyncResultGroup",
    "Task",
    "TaskDetails",
    "TaskInfo",
    "TaskLock",
    "TaskLogFilter",
    "TaskPage",
    "TaskState",
    "TaskWrapper",
    "chord",
    "crontab",
    "current_task",
    "group",
]
__all__ += exceptions.__all__
__all__ += signals.__all__

_LATE: Final = {
    "Attempt": "control.history",
    "AuditEntry": "control.audit",
    "BaseStorage": "app.base_storage",
    "BlackHoleHuey": "app.presets.blackhole",
    "Consumer": "consumer.consumer",
    "ConsumerInfo": "control.consumers",
    "DeadTask": "control.dead_letters",
    "EmptyData": "app.empty_data",
    "EncryptedSerializer": "serializer.encrypted",
    "EndedTask": "control.history",
    "FailedTask": "control.failed_tasks",
    "FileHuey": "app.presets.file",
    "HistoryPage": "control.history",
    "Inspector": "app.inspector",
    "MemoryHuey": "app.presets.memory",
    "PauseInfo": "control.pause",
    "PostgresHuey": "app.presets.postgres",
    "PriorityRedisExpireHuey": "app.presets.redis",
    "PriorityRedisHuey": "app.presets.redis",
    "QueueStatistics": "control.statistics",
    "RedisExpireHuey": "app.presets.redis",
    "RedisHuey": "app.presets.redis",
    "SqliteHuey": "app.presets.sqlite",
    "TaskDetails": "control.task_details",
    "TaskInfo": "control.task_info",
    "TaskPage": "control.listing",
}
"""Where the names are that few programs need, or that take long to import: redis-py alone takes as long as hueyio."""

if not TYPE_CHECKING:  # or a checker would take every name for one that exists

    def __getattr__(name: str) -> Any:
        """Import what few need when it is first asked for."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
