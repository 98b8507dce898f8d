"""The tasks of a small shop. Where its queue is, the environment says."""

from __future__ import annotations

import os

from hueyio import Huey, RedisHuey, SqliteHuey


def open_queue() -> Huey:
    """Return the queue on the server of ``REDIS_URL``, else in the file ``QUEUE_FILE``."""
    if url := os.environ.get("REDIS_URL"):
        return RedisHuey("shop", url=url)
    return SqliteHuey("shop", filename=os.environ.get("QUEUE_FILE", "shop.db"))


huey = open_queue()


@huey.task(retries=3, retry_delay=5)
async def send_invoice(order: int) -> str:
    """Do what takes a while."""
    return f"the invoice of order {order} is sent"
