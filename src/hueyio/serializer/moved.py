"""Pickles that name a module by another name than the one that it has here.

Values may hold hueyio's own objects: a Task, an Error, SKIPPED, a crontab. A pickle says in which module their classes
are. What 0.1.0 wrote is read by this table; it is asked only where a module is not found. And a file that is run as
a script is imported elsewhere: see ``main_module``.
"""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

from hueyio.serializer.main_module import module_here

__all__ = ["loads_moved"]

_MOVED: Final = {
    "hueyio.canvas": "hueyio.tasks.canvas",
    "hueyio.crontab": "hueyio.times.crontab",
    "hueyio.dead": "hueyio.control.dead_letters",
    "hueyio.endings": "hueyio.messages.stored_result",
    "hueyio.fleet": "hueyio.control.consumers",
    "hueyio.progress": "hueyio.tasks.progress",
    "hueyio.reports": "hueyio.messages.member_result",
    "hueyio.schedules": "hueyio.schedules.stored",
    "hueyio.spec": "hueyio.tasks.declared",
    "hueyio.task": "hueyio.tasks.task",
    "hueyio.unique": "hueyio.tasks.unique",
}


def loads_moved(data: bytes) -> Any:
    """Return the value of a pickle, with modules where they are here."""
    return _Unpickler(io.BytesIO(data)).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        module_name = _MOVED.get(module_name, module_name)
        return super().find_class(module_here(module_name, global_name), global_name)
