"""Django for hueyio (``hueyio[django]``): queues in the settings, and tasks in the module ``tasks`` of each app."""

from __future__ import annotations

from hueyio.contrib.django.declaring import (
    db_periodic_task,
    db_task,
    on_commit_task,
    periodic_task,
    task,
)
from hueyio.contrib.django.django_task import AsyncDjangoTask, DjangoTask, OnCommitTask
from hueyio.contrib.django.queues import get_huey
from hueyio.contrib.django.settings import SettingsError

__all__ = [
    "AsyncDjangoTask",
    "DjangoTask",
    "OnCommitTask",
    "SettingsError",
    "db_periodic_task",
    "db_task",
    "get_huey",
    "on_commit_task",
    "periodic_task",
    "task",
]
