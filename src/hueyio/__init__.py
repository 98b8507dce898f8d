"""Huey's task queue, reborn on the event loop."""

from hueyio.app import Huey
from hueyio.consumer import Consumer, ConsumerOptions
from hueyio.crontab import crontab
from hueyio.dead import DeadTask
from hueyio.endings import Error
from hueyio.exceptions import (
    CancelExecution,
    ConfigurationError,
    HueyException,
    LeaseLost,
    ResultTimeout,
    RetryTask,
    SerializationError,
    SessionClosed,
    StorageError,
    StorageUnavailable,
    TaskArgumentError,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskLockedException,
    TaskRevoked,
    TaskTimeout,
    UnknownTaskError,
    WorkerLost,
)
from hueyio.presets import (
    MemoryHuey,
    PriorityRedisExpireHuey,
    PriorityRedisHuey,
    RedisExpireHuey,
    RedisHuey,
    SqliteHuey,
)
from hueyio.result import Result, ResultGroup
from hueyio.serializer import Serializer
from hueyio.signals import (
    SIGNAL_CANCELED,
    SIGNAL_COMPLETE,
    SIGNAL_ENQUEUED,
    SIGNAL_ERROR,
    SIGNAL_EXECUTING,
    SIGNAL_EXPIRED,
    SIGNAL_INTERRUPTED,
    SIGNAL_RETRYING,
    SIGNAL_REVOKED,
    SIGNAL_SCHEDULED,
    SIGNAL_TIMEOUT,
)
from hueyio.task import Task
from hueyio.wrapper import TaskWrapper

__all__ = [
    "SIGNAL_CANCELED",
    "SIGNAL_COMPLETE",
    "SIGNAL_ENQUEUED",
    "SIGNAL_ERROR",
    "SIGNAL_EXECUTING",
    "SIGNAL_EXPIRED",
    "SIGNAL_INTERRUPTED",
    "SIGNAL_RETRYING",
    "SIGNAL_REVOKED",
    "SIGNAL_SCHEDULED",
    "SIGNAL_TIMEOUT",
    "CancelExecution",
    "ConfigurationError",
    "Consumer",
    "ConsumerOptions",
    "DeadTask",
    "Error",
    "Huey",
    "HueyException",
    "LeaseLost",
    "MemoryHuey",
    "PriorityRedisExpireHuey",
    "PriorityRedisHuey",
    "RedisExpireHuey",
    "RedisHuey",
    "Result",
    "ResultGroup",
    "ResultTimeout",
    "RetryTask",
    "SerializationError",
    "Serializer",
    "SessionClosed",
    "SqliteHuey",
    "StorageError",
    "StorageUnavailable",
    "Task",
    "TaskArgumentError",
    "TaskCancelled",
    "TaskException",
    "TaskExpired",
    "TaskLockedException",
    "TaskRevoked",
    "TaskTimeout",
    "TaskWrapper",
    "UnknownTaskError",
    "WorkerLost",
    "crontab",
]
