"""Huey's task queue, reborn on the event loop."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hueyio.app import Huey
from hueyio.app.base_storage import BaseStorage, EmptyData
from hueyio.consumer import Consumer, ConsumerOptions
from hueyio.control.consumers import ConsumerInfo
from hueyio.control.dead_letters import DeadTask
from hueyio.exceptions import (
    CancelExecution,
    ConfigurationError,
    HueyException,
    LeaseLost,
    ProcessLost,
    RateLimitExceeded,
    ResultTimeout,
    RetryTask,
    SerializationError,
    SessionClosed,
    Snooze,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TaskArgumentError,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskLockedException,
    TaskNotUnique,
    TaskRevoked,
    TaskTimeout,
    UnknownTaskError,
    WorkerLost,
)
from hueyio.execution.context import current_task
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
from hueyio.signals import (
    SIGNAL_CANCELED,
    SIGNAL_COMPLETE,
    SIGNAL_ENQUEUED,
    SIGNAL_ERROR,
    SIGNAL_EXECUTING,
    SIGNAL_EXPIRED,
    SIGNAL_INTERRUPTED,
    SIGNAL_LOCKED,
    SIGNAL_RATE_LIMITED,
    SIGNAL_RETRYING,
    SIGNAL_REVOKED,
    SIGNAL_SCHEDULED,
    SIGNAL_TIMEOUT,
)
from hueyio.tasks.canvas import chord, group
from hueyio.tasks.progress import Progress
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

if TYPE_CHECKING:
    from hueyio.app.presets.blackhole import BlackHoleHuey
    from hueyio.app.presets.file import FileHuey
    from hueyio.app.presets.memory import MemoryHuey
    from hueyio.app.presets.redis import PriorityRedisExpireHuey, PriorityRedisHuey, RedisExpireHuey, RedisHuey
    from hueyio.app.presets.sqlite import SqliteHuey

__all__ = [
    "SIGNAL_CANCELED",
    "SIGNAL_COMPLETE",
    "SIGNAL_ENQUEUED",
    "SIGNAL_ERROR",
    "SIGNAL_EXECUTING",
    "SIGNAL_EXPIRED",
    "SIGNAL_INTERRUPTED",
    "SIGNAL_LOCKED",
    "SIGNAL_RATE_LIMITED",
    "SIGNAL_RETRYING",
    "SIGNAL_REVOKED",
    "SIGNAL_SCHEDULED",
    "SIGNAL_TIMEOUT",
    "SKIPPED",
    "BaseStorage",
    "BlackHoleHuey",
    "CancelExecution",
    "ChordResult",
    "ConfigurationError",
    "Consumer",
    "ConsumerInfo",
    "ConsumerOptions",
    "DeadTask",
    "EmptyData",
    "Error",
    "FileHuey",
    "Huey",
    "HueyException",
    "JSONSerializer",
    "LeaseLost",
    "MemoryHuey",
    "PriorityRedisExpireHuey",
    "PriorityRedisHuey",
    "ProcessLost",
    "Progress",
    "RateLimit",
    "RateLimitExceeded",
    "RedisExpireHuey",
    "RedisHuey",
    "Result",
    "ResultGroup",
    "ResultTimeout",
    "RetryTask",
    "ScheduleInfo",
    "Semaphore",
    "SerializationError",
    "Serializer",
    "SessionClosed",
    "SignedSerializer",
    "Snooze",
    "SqliteHuey",
    "StorageError",
    "StorageFull",
    "StorageUnavailable",
    "SyncResult",
    "SyncResultGroup",
    "Task",
    "TaskArgumentError",
    "TaskCancelled",
    "TaskException",
    "TaskExpired",
    "TaskLock",
    "TaskLockedException",
    "TaskNotUnique",
    "TaskRevoked",
    "TaskTimeout",
    "TaskWrapper",
    "UnknownTaskError",
    "WorkerLost",
    "chord",
    "crontab",
    "current_task",
    "group",
]

_PRESETS: Final = {
    "BlackHoleHuey": "blackhole",
    "FileHuey": "file",
    "MemoryHuey": "memory",
    "PriorityRedisExpireHuey": "redis",
    "PriorityRedisHuey": "redis",
    "RedisExpireHuey": "redis",
    "RedisHuey": "redis",
    "SqliteHuey": "sqlite",
}


if not TYPE_CHECKING:  # or a checker would take every name for one that exists

    def __getattr__(name: str) -> Any:
        """Import a preset when it is first asked for: redis-py alone takes half the time of ``import hueyio``."""
        if name not in _PRESETS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        preset = getattr(import_module(f"hueyio.app.presets.{_PRESETS[name]}"), name)
        globals()[name] = preset
        return preset

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
