"""Names of attributes and metrics: those of the semantic conventions for messaging, and what they have none for.

https://opentelemetry.io/docs/specs/semconv/messaging/
"""

from __future__ import annotations

from typing import Final

from opentelemetry.util.types import AttributeValue

from hueyio.tasks.task import Task

__all__ = ["ATTEMPT", "ERROR_TYPE", "MANY", "of_attempt", "of_enqueue"]

SYSTEM: Final = "messaging.system"
DESTINATION: Final = "messaging.destination.name"
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGE: Final = "messaging.message.id"
MANY: Final = "messaging.batch.message_count"
ERROR_TYPE: Final = "error.type"
TASK: Final = "hueyio.task.name"
ATTEMPT: Final = "hueyio.task.attempt"


def of_enqueue(queue: str, tasks: tuple[Task, ...]) -> dict[str, AttributeValue]:
    """Return the attributes of one write."""
    attributes: dict[str, AttributeValue] = {
        SYSTEM: "hueyio",
        DESTINATION: queue,
        OPERATION: "enqueue",
        OPERATION_TYPE: "send",
    }
    if len(tasks) == 1:
        return {**attributes, MESSAGE: tasks[0].id, TASK: tasks[0].path}
    return {**attributes, MANY: len(tasks)}


def of_attempt(queue: str, task: Task) -> dict[str, AttributeValue]:
    """Return the attributes of one attempt; attempts count from 1."""
    return {
        SYSTEM: "hueyio",
        DESTINATION: queue,
        OPERATION: "process",
        OPERATION_TYPE: "process",
        MESSAGE: task.id,
        TASK: task.path,
        ATTEMPT: task.attempt + 1,
    }
