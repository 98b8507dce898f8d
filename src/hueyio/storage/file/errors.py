"""What files raise, in hueyio's words."""

from __future__ import annotations

import errno
import pickle

from hueyio.exceptions import ConfigurationError, HueyException, StorageFull, StorageUnavailable
from hueyio.storage.file.options import FileOptions

__all__ = ["explain", "is_full"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The last: a limit on the size of files."""


def is_full(error: BaseException) -> bool:
    """Whether there was no room."""
    return isinstance(error, OSError) and error.errno in _FULL


def explain(error: BaseException, options: FileOptions) -> BaseException:
    """Turn an error of the file system, or of what stands in a file, into ours; leave others as they are."""
    folder = options.root
    match error:
        case HueyException():
            return error
        case OSError() if is_full(error):
            return StorageFull(f"folder {folder}: its disk or its quota is full")
        case OSError() if error.errno == errno.ELOOP:
            return ConfigurationError(
                f"{error.filename or folder} is a link: none is followed in the folder of a queue"
            )
        case NotADirectoryError() | FileExistsError():
            return ConfigurationError(f"folder {folder}: something on its path is not a folder")
        case PermissionError():
            return StorageUnavailable(f"folder {folder}: no permission ({error})")
        case OSError():
            return StorageUnavailable(f"folder {folder}: {error}")
        case pickle.UnpicklingError() | KeyError():
            return ConfigurationError(f"folder {folder}: its journal is that of another version of hueyio ({error})")
        case _:
            return error
