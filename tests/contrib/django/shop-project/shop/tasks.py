"""What the shop does later."""

from __future__ import annotations

import threading

from asgiref.sync import sync_to_async
from django.db import connection

from hueyio import crontab
from hueyio.contrib.django import db_periodic_task, db_task, on_commit_task, task
from shop import framework_tasks as framework_tasks
from shop.models import Order


@db_task(retries=1)
def pay(number: int) -> str:
    """Use the database in a thread."""
    order = Order.objects.get(pk=number)
    order.is_paid = True
    order.save()
    return order.name


@db_task
async def pay_async(number: int) -> str:
    """Use the database from a coroutine."""
    order = await Order.objects.aget(pk=number)
    order.is_paid = True
    await order.asave()
    return order.name


@db_task(run_in="process")
def pay_in_process(number: int) -> str:
    """Use the database in a process."""
    return Order.objects.get(pk=number).name


@on_commit_task
def thank(number: int) -> str:
    """Run when the order is there."""
    return Order.objects.get(pk=number).name


@task(using="mails")
def mail(address: str) -> str:
    """Be on another queue."""
    return f"to {address}"


@db_task
def where() -> tuple[str, bool]:
    """Tell the thread, and whether a transaction is open in it."""
    return threading.current_thread().name, connection.in_atomic_block


def is_fresh() -> bool:
    """Tell whether no connection is open yet, and leave one open."""
    fresh: bool = connection.connection is None
    Order.objects.exists()
    return fresh


@db_task
def is_fresh_in_thread() -> bool:
    """Look in a thread."""
    return is_fresh()


@db_task(run_in="process")
def is_fresh_in_process() -> bool:
    """Look in a process."""
    return is_fresh()


@db_task
async def is_fresh_async() -> bool:
    """Look from a coroutine."""
    return await sync_to_async(is_fresh)()


@db_periodic_task(crontab(minute="0", hour="3"))
def clean() -> int:
    """Run every night."""
    return Order.objects.filter(is_paid=False).delete()[0]
