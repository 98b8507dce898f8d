"""From a Task to what is enqueued: check it, and encode it. No I/O."""

from __future__ import annotations

from hueyio.core import Core
from hueyio.exceptions import ConfigurationError, HueyException
from hueyio.messages.entry import make_entry
from hueyio.messages.message import MOST_NESTED
from hueyio.storage.records import Entry
from hueyio.storage.texts import check_text
from hueyio.tasks.declared import TaskSpec, check_settings
from hueyio.tasks.headers import check_stages
from hueyio.tasks.task import Task
from hueyio.tasks.unique import UniqueKey, key_of_call

__all__ = ["encode", "encode_undeclared", "prepare", "prepare_again", "prepare_whole"]


def prepare(core: Core, task: Task) -> Entry:
    """Check a Task that somebody made or changed by hand, with all that follows it, and encode it.

    Raises UnknownTaskError, TaskArgumentError, ConfigurationError, or what ``encode`` raises.
    """
    if not isinstance(task, Task):
        raise HueyException(f"only a Task can be enqueued, such as add.s(1, 2), not {task!r}")
    task.check_whole()
    arguments = task.args if task.values is None else (*task.args, task.values)
    core.registry.find(task.path).check_call(arguments, task.kwargs)
    for stage in task.stages():
        _check(core, stage)
    if task.on_complete is not None or task.on_error is not None:
        check_stages(task)
    if task.deadline is not None:
        task.deadline_resolved = None  # a Task that is enqueued a second time counts anew
    return encode(core, task)


def prepare_again(core: Core, task: Task) -> Entry:
    """Prepare a Task anew that was changed since. One that is not declared here was called by its name."""
    return encode_undeclared(core, task) if core.registry.get(task.path) is None else prepare(core, task)


def prepare_whole(core: Core, task: Task) -> Entry:
    """Prepare a Task anew, with its pipeline in one piece as far as one message can hold it."""
    return _encode(core, task, core.registry.get(task.path), MOST_NESTED)


def encode(core: Core, task: Task) -> Entry:
    """Encode a Task whose settings and arguments have been checked.

    Raises UnknownTaskError, TaskArgumentError for arguments that cannot be serialised, and NotImplementedError or
    ValueError for a priority that the storage cannot keep.
    """
    return _encode(core, task, core.registry.find(task.path))


def encode_undeclared(core: Core, task: Task) -> Entry:
    """Do the same for a task that is not declared here: whoever runs it knows it."""
    return _encode(core, task, None)


def _encode(core: Core, task: Task, spec: TaskSpec | None, cut_from: int | None = None) -> Entry:
    if task.priority is not None or task.on_complete is not None or task.on_error is not None:
        for stage in task.stages():
            _check_priority(core, stage)
    if (
        task.eta is not None
        or task.expires is not None
        or task.deadline is not None
        or task.on_complete is not None
        or task.on_error is not None
    ):
        task.count_anew(core.clock.ahead)
    entry = make_entry(task, spec, core.serializer, core.now(), cut_from=cut_from or core.cut_from)
    if core.serializer.types is not None:
        for stage in task.stages():
            _check_types(core, stage)
    if task.unique is None:
        return entry
    key = task.unique.key
    unique_key = _key_of_undeclared(task, key) if spec is None else spec.unique_key(task, key)
    return entry._replace(header=entry.header._replace(unique_key=unique_key))


def _key_of_undeclared(task: Task, key: UniqueKey | None) -> str:
    if key is None:
        raise ConfigurationError(
            f"task {task.path} is not declared here, and which arguments are the same cannot be told: give unique_key="
        )
    return key_of_call(task.path, key, task.args, task.kwargs)


def _check(core: Core, stage: Task) -> None:
    if not isinstance(stage.id, str) or not stage.id:
        raise ConfigurationError(f"task {stage.path}: an id must be a text that is not empty, not {stage.id!r}")
    check_text("the id", stage.id)
    core.registry.find(stage.path)
    check_settings(
        retries=stage.retries,
        retry_delay=stage.retry_delay,
        retry_backoff=stage.retry_backoff,
        retry_max_delay=stage.retry_max_delay,
        retry_jitter=stage.retry_jitter,
        timeout=stage.timeout,
        priority=stage.priority,
    )
    if stage.on_error is not None:
        _check(core, stage.on_error)


def _check_types(core: Core, stage: Task) -> None:
    """Raise TaskArgumentError for an argument that does not fit its annotation; what arrives later is read then."""
    spec = core.registry.get(stage.path)
    if spec is not None and spec.types is not None:
        spec.types.check(stage.args, stage.kwargs)
    if stage.on_error is not None:
        _check_types(core, stage.on_error)


def _check_priority(core: Core, stage: Task) -> None:
    capabilities = core.storage.capabilities
    if stage.priority and not capabilities.priorities:
        raise NotImplementedError(
            f"task {stage.path}: priority={stage.priority!r}, but {core.kind} keeps a plain list; "
            "PriorityRedisHuey has priorities"
        )
    most = capabilities.most_priority
    if most is not None and stage.priority is not None:
        if not 0 <= stage.priority <= most:
            raise ValueError(
                f"task {stage.path}: {core.kind} takes priorities from 0 to {most}, not {stage.priority!r}"
            )
        stage.priority = int(stage.priority)
    if stage.on_error is not None:
        _check_priority(core, stage.on_error)
