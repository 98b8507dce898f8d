"""Tasks of Django's own framework, on hueyio's queues."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

from shop.models import Order

framework: Any = import_module(settings.DJANGO_TASKS)


@framework.task
def double(number: int, *, by: int = 2) -> int:
    """Return a value."""
    return number * by


@framework.task(priority=10, takes_context=True)
async def tell(context: Any, name: str) -> list[Any]:
    """Use the database from a coroutine, and the context."""
    order = await Order.objects.acreate(name=name)
    return [context.task_result.id, context.attempt, order.name]


@framework.task(queue_name="mails")
def fail(text: str) -> None:
    """Fail."""
    raise ValueError(text)


@framework.task
def no_json() -> object:
    """Return what is no JSON."""
    return object()
