"""Tasks of a project that comes from Huey: but for the imports, all is as it was there."""

from __future__ import annotations

from hueyio import crontab
from hueyio.contrib.djhuey import db_periodic_task, db_task, lock_task, on_commit_task, signal, task
from shop.models import Order

heard: list[str] = []


@task()
def add(a: int, b: int) -> int:
    """Return a value."""
    return a + b


@db_task(retries=1)
@lock_task("pay")
def pay(number: int) -> str:
    """Use the database."""
    return Order.objects.get(pk=number).name


@db_periodic_task(crontab(minute="0"))
def clean() -> None:
    """Run every hour."""


@on_commit_task()
def thank(number: int) -> str:
    """Run when the order is there."""
    return Order.objects.get(pk=number).name


@signal("complete")
def hear(name: str, task: object) -> None:
    """Be told."""
    heard.append(name)
