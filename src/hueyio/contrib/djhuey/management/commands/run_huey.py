"""``manage.py run_huey``: Huey's name of ``hueyio_worker``."""

from __future__ import annotations

from hueyio.contrib.django.management.commands.hueyio_worker import Command

__all__ = ["Command"]
