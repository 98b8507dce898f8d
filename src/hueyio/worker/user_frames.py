"""Where an error of the application arose: the part of its traceback that is the user's own."""

from __future__ import annotations

import importlib
import sysconfig
import traceback
from pathlib import Path
from typing import Final

__all__ = ["user_frames"]

_MOST: Final = 4

_MACHINERY: Final = ("<frozen ", f"{Path(importlib.__file__).parent}/", f"{Path(__file__).parents[1]}/")
"""What imports, and hueyio itself."""

_LIBRARIES: Final = tuple(
    f"{path}/" for name, path in sysconfig.get_paths().items() if name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def user_frames(error: BaseException) -> list[str]:
    """Return lines as a traceback has them: the last frames in the user's files, and the one that raised.

    The files of an application that is installed like a library cannot be told from those of others: then all count.
    """
    frames = [it for it in traceback.extract_tb(error.__traceback__) if not _is_in(it.filename, _MACHINERY)]
    own = [it for it in frames if not _is_in(it.filename, _LIBRARIES)]
    shown = (own or frames)[-_MOST:]
    if frames and frames[-1] is not shown[-1]:
        shown.append(frames[-1])
    texts = traceback.format_list(shown)
    if isinstance(error, SyntaxError):  # raised by who compiles; it knows the line itself
        texts += traceback.format_exception_only(error)[:-1]
    return [line for text in texts for line in text.rstrip("\n").split("\n")]


def _is_in(filename: str, folders: tuple[str, ...]) -> bool:
    return filename.startswith(folders)
