"""The shop of ``hueyio demo``: tasks that succeed, fail, are retried, report progress, hold a lock and block a loop.

What goes wrong is drawn by the number of the order, so that each run of the demo looks alike.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import Any, Final

from hueyio.app.presets.sqlite import SqliteHuey
from hueyio.tasks.canvas import chord
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab

__all__ = ["FILE", "huey", "open_shop", "place_order"]

FILE: Final = "HUEYIO_DEMO_FILE"
"""The variable that says to the worker where the shop is."""

huey = SqliteHuey("shop", filename=os.environ.get(FILE, "shop.db"))


class CarrierError(Exception):
    """The carrier did not make a label."""


class CardDeclined(Exception):
    """A customer cannot pay."""


class ConnectTimeout(Exception):
    """A supplier did not answer."""


@huey.task
async def reserve_stock(order: int) -> int:
    await asyncio.sleep(_draw(order, "reserve") * 0.1)
    return order


@huey.task
async def capture(order: int) -> int:
    await asyncio.sleep(0.1 + _draw(order, "pay") * 0.6)
    if _draw(order, "card") < 0.04:
        raise CardDeclined("insufficient funds")
    return order


@huey.task(retries=3, retry_delay=4, retry_backoff=2, context=True)
async def buy_label(task: Task, order: int) -> int:
    await asyncio.sleep(0.1 + _draw(order, "label") * 0.5)
    if _draw(order, "carrier", task.retries) < (0.6 if order % 20 == 0 else 0.1):
        raise CarrierError(f"502 from carrier.example for order {order}: upstream closed the connection")
    return order


@huey.task
def render_invoice(order: int) -> int:
    time.sleep(0.05 + _draw(order, "invoice") * 0.3)
    return order


@huey.task
async def index_order(order: int) -> int:
    if _draw(order, "slow") < 0.005:
        time.sleep(1.5)  # noqa: ASYNC251  the watchdog shall see it
    return order


@huey.task
async def send_receipt(order: int, ended: list[Any]) -> str:
    return f"order {order}: {len(ended)} things are done"


@huey.task(retries=1, retry_delay=3)
@huey.limit("supplier", 2)
async def sync_supplier(supplier: int) -> int:
    await asyncio.sleep(0.5 + _draw(supplier, "supplier"))
    if random.random() < 0.3:
        raise ConnectTimeout(f"supplier-{supplier}.example did not answer in 10 s")
    return supplier


@huey.task(context=True)
@huey.lock_task("report")
async def monthly_report(task: Task, month: int) -> str:
    for page in range(1, 121):
        await asyncio.sleep(1)
        await task.progress(page / 120, f"page {page} of 120")
    return "printed"


@huey.task
async def remind(customer: int) -> int:
    return customer


@huey.periodic_task(crontab(minute="*/1"))
async def sweep_carts() -> None:
    await asyncio.sleep(0.3)


@huey.periodic_task(crontab(minute="0", hour="4"))
async def close_books() -> None: ...


async def open_shop() -> None:
    """Begin what goes on beside the orders."""
    await huey.schedules().add("tea", remind, "0 16 * * *", args=(1,))
    await monthly_report(11)
    await monthly_report(12)


async def place_order(order: int) -> None:
    """Enqueue all that an order needs: a pipeline and two tasks in a chord, whose callback sends the receipt."""
    bought = reserve_stock.s(order).then(capture).then(buy_label)
    await huey.enqueue(chord([bought, render_invoice.s(order), index_order.s(order)], send_receipt.s(order)))
    if order % 4 == 0:
        await sync_supplier(order // 4 % 7)
    if order % 3 == 0:
        await remind.options(delay=600)(order)


def _draw(order: int, *what: object) -> float:
    """Return a number from 0 to 1 that is the same each time."""
    return random.Random(f"{order} {what}").random()
