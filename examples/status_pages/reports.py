"""A task that takes its time, for the two status pages: ``polling.py`` and ``events.py``."""

from __future__ import annotations

import asyncio
import os

from hueyio import SqliteHuey, Task

huey = SqliteHuey("reports", filename=os.environ.get("REPORTS_DB", "reports.db"))


@huey.task(context=True)
async def write_report(task: Task, pages: int) -> str:
    if pages < 1:
        raise ValueError("a report has at least one page")
    for page in range(1, pages + 1):
        await asyncio.sleep(0.05)
        await task.progress(page / pages, f"page {page} of {pages}")
    return f"a report of {pages} pages"
