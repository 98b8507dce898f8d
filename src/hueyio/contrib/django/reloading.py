"""``manage.py hueyio_worker --reload``, by the reloader that ``runserver`` has.

It knows which files this process has imported, and leaves to Django what needs no restart, such as a changed template.
Where pywatchman and Watchman are installed it is told of changes; elsewhere it looks once a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.utils import autoreload

from hueyio.contrib.django.own_path import is_installed

__all__ = ["watch_project"]

logger = logging.getLogger(__name__)


def watch_project(restart: Callable[[], None]) -> None:
    """Call ``restart`` whenever a file of the project has changed; does not return."""
    reloader: Any = autoreload.get_reloader()
    autoreload.autoreload_started.send(sender=reloader)
    for config in apps.get_app_configs():
        if not is_installed(config.path):  # what is not imported yet, too: a new module that does not compile
            reloader.watch_dir(Path(config.path), "**/*.py")
    changed: list[Path] = []
    autoreload.file_changed.connect(lambda file_path, **_: changed.append(file_path), sender=reloader, weak=False)
    while True:
        try:
            _watch(reloader)
        except SystemExit:  # how the reloader says that a file has changed which needs a restart
            logger.info("%s changed", changed[-1])
            changed.clear()
            restart()


def _watch(reloader: Any) -> None:
    looks = reloader.tick()
    next(looks)
    logger.info("restarting when a file of the project changes")  # not before: from here on a change is noticed
    for _ in looks:
        pass
