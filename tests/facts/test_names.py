"""Every name of Huey's API page is here, with the parameters that it has there, or is said to be gone."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import hueyio
from hueyio import BaseStorage, ConfigurationError, Huey, MemoryHuey, Result, ResultGroup, Task, TaskLock, TaskWrapper
from hueyio.storage import blackhole, contract, file, memory, redis, sqlite
from hueyio.tasks.declared import TaskOptions

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "coming-from-huey.md"

_REVOKE = "revoke_until revoke_once"
_DECLARE = "retries retry_delay priority context name expires"
_READ = "blocking timeout backoff max_delay revoke_on_timeout preserve"

_METHODS: dict[type[Any], dict[str, str]] = {
    Huey: {
        "__init__": "name results store_none utc immediate serializer compression use_zlib immediate_use_memory "
        "storage_kwargs",
        "task": _DECLARE,
        "periodic_task": f"validate_datetime {_DECLARE}",
        "context_task": "obj as_argument retries retry_delay context name",
        "pre_execute": "name",
        "unregister_pre_execute": "",
        "post_execute": "name",
        "unregister_post_execute": "",
        "on_startup": "name",
        "unregister_on_startup": "",
        "on_shutdown": "name",
        "unregister_on_shutdown": "",
        "signal": "signals",
        "disconnect_signal": "receiver signals",
        "enqueue": "task",
        "revoke": f"task {_REVOKE}",
        "revoke_by_id": f"task_id {_REVOKE}",
        "revoke_all": _REVOKE,
        "restore": "task",
        "restore_by_id": "task_id",
        "restore_all": "",
        "is_revoked": "task timestamp",
        "result": _READ,
        "lock_task": "lock_name",
        "is_locked": "lock_name",
        "flush_locks": "names",
        "put": "key",
        "get": "key peek",
        "pending": "limit",
        "scheduled": "limit",
        "all_results": "",
    },
    TaskWrapper: {
        "schedule": "args kwargs eta delay",
        "revoke": _REVOKE,
        "is_revoked": "timestamp",
        "restore": "",
        "call_local": "",
        "s": "args kwargs",
        "map": "",
    },
    Task: {
        "__init__": "args kwargs id eta retries retry_delay expires on_complete on_error priority",
        "then": "task args kwargs",
        "error": "task args kwargs",
    },
    TaskLock: {"clear": "", "__init__": "huey name"},
    Result: {
        "get": _READ,
        "__call__": _READ,
        "revoke": "revoke_once",
        "restore": "",
        "is_revoked": "",
        "reschedule": "eta delay expires",
        "reset": "",
    },
    ResultGroup: {"get": ""},
    hueyio.Serializer: {
        "__init__": "compression compression_level use_zlib",
        "_serialize": "",
        "_deserialize": "data",
    },
    hueyio.RetryTask: {"__init__": "msg eta delay"},
    hueyio.CancelExecution: {"__init__": "retry"},
    hueyio.SqliteHuey: {"__init__": "name filename cache_mb fsync"},
    hueyio.FileHuey: {"__init__": "path levels use_thread_lock"},
    hueyio.crontab: {"__init__": "minute hour day month day_of_week strict"},
    BaseStorage: {
        "enqueue": "data priority",
        "dequeue": "",
        "queue_size": "",
        "enqueued_items": "limit",
        "flush_queue": "",
        "add_to_schedule": "data",
        "read_schedule": "",
        "schedule_size": "",
        "scheduled_items": "limit",
        "flush_schedule": "",
        "put_data": "key value",
        "peek_data": "key",
        "pop_data": "key",
        "put_if_empty": "key value",
        "has_data_for_key": "key",
        "result_store_size": "",
        "result_items": "",
        "flush_results": "",
    },
    redis.RedisStorage: {
        "__init__": "name blocking read_timeout connection_pool url client_name connection_params",
    },
    redis.RedisExpireStorage: {"__init__": "name expire_time"},
    redis.PriorityRedisStorage: {"__init__": "name"},
    redis.PriorityRedisExpireStorage: {"__init__": "name expire_time"},
    sqlite.SqliteStorage: {"__init__": "name filename cache_mb fsync journal_mode timeout strict_fifo"},
    file.FileStorage: {"__init__": "name path levels use_thread_lock"},
    memory.MemoryStorage: {"__init__": ""},
    blackhole.BlackHoleStorage: {"__init__": ""},
}

_EXPORTED = (
    "BaseStorage CancelExecution ConfigurationError FileHuey Huey HueyException MemoryHuey PriorityRedisExpireHuey "
    "PriorityRedisHuey RedisExpireHuey RedisHuey Result ResultGroup RetryTask Serializer SqliteHuey Task TaskException "
    "TaskLock TaskLockedException TaskWrapper crontab"
)


@pytest.mark.parametrize("name", _EXPORTED.split(" "))
def test_name_of_the_page_is_imported_from_hueyio(name: str) -> None:
    assert name in hueyio.__all__


def parameters_of(owner: type[Any], method: str) -> set[str]:
    """Return the names of the parameters; of a method that passes keywords on, those of what gets them too."""
    found: set[str] = {"name", *(field.name for field in fields(TaskOptions))} if method.endswith("task") else set()
    for kind in owner.__mro__:
        if method not in vars(kind):
            continue
        parameters = inspect.signature(getattr(kind, method)).parameters
        found.update(parameters)
        if all(it.kind is not it.VAR_KEYWORD for it in parameters.values()):
            break
    return found


@pytest.mark.parametrize(
    ("owner", "method"), [(owner, method) for owner, methods in _METHODS.items() for method in methods]
)
def test_method_of_the_page_takes_its_parameters(owner: type[Any], method: str) -> None:
    parameters = parameters_of(owner, method)
    assert [name for name in _METHODS[owner][method].split() if name not in parameters] == []


def test_storages_keep_the_contract() -> None:
    for kind in (redis.RedisStorage, sqlite.SqliteStorage, memory.MemoryStorage, blackhole.BlackHoleStorage):
        assert isinstance(kind("name"), contract.Storage)


@pytest.mark.parametrize("gone", ["task_base", "task_class"])
def test_setting_that_is_gone_is_refused_and_said_to_be(gone: str) -> None:
    settings: dict[str, Any] = {gone: Task}
    with pytest.raises(ConfigurationError, match=f"{gone}.*TaskOptions"):
        MemoryHuey().task(**settings)(lambda: None)
    assert f"`{gone}" in _PAGE.read_text()


def test_length_of_a_huey_is_a_coroutine_now() -> None:
    with pytest.raises(TypeError, match=r"await huey\.count\(\)"):
        len(MemoryHuey())
    assert "`len(huey)`" in _PAGE.read_text()


def test_huey_is_immediate_by_an_attribute() -> None:
    huey = MemoryHuey()
    huey.immediate = True
    assert huey.immediate
