"""The tasks that all examples of this folder share, and where they are kept."""

from __future__ import annotations

import os

from hueyio import SqliteHuey

huey = SqliteHuey("embedding", filename=os.environ.get("EMBEDDING_DB", "embedding.db"))


@huey.task
async def greet(name: str) -> str:
    return f"hello, {name}"


@huey.task
def shout(name: str) -> str:
    return f"HELLO, {name.upper()}"
