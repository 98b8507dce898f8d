"""The application that Huey's tasks are moved to, as commands and workers import it."""

from __future__ import annotations

import os

from hueyio import SqliteHuey
from tests.migration.tasks import HERE, declare

__all__ = ["huey"]

huey = SqliteHuey("shop", filename=os.environ[HERE])
declare(huey)
