"""FastAPI for hueyio (``hueyio[fastapi]``): a router about tasks, and a dependency that knows where one is."""

from __future__ import annotations

from hueyio.contrib.fastapi.models import TaskCancellation, TaskProgress, TaskStatus
from hueyio.contrib.fastapi.router import task_router
from hueyio.contrib.fastapi.status import task_status

__all__ = ["TaskCancellation", "TaskProgress", "TaskStatus", "task_router", "task_status"]
