"""Warnings at the line of the program that called into hueyio, however deep inside they are found."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

__all__ = ["calling_frame", "warn_caller"]


def warn_caller(text: str, category: type[Warning]) -> None:
    """Warn at the nearest line that is not hueyio's own."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def calling_frame() -> FrameType:
    """Return the nearest frame that is not hueyio's own."""
    frame = sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
    return frame


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and (module == "hueyio" or module.startswith("hueyio."))
