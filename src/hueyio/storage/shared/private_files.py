"""Files and folders that hueyio makes: who may open them, and what is refused in folders that strangers may write.

Others on the host must neither read what is stored nor lock it. So a file is made with ``mode`` (0600) and a folder
with the mode that goes with it (0700), whatever the umask is; what was there before keeps its mode.

Where others may write, as in ``/tmp``, they may have put something at a path before hueyio came: a link to a file of
this user's, or a file of their own that is full of pickles. So no link is followed there, and what belongs to another
user is refused: each part of a path is looked at. Others are all but this user, root, and the owner of the folder; and
those of its group, unless ``mode`` lets a group write or the group is this user's alone. Elsewhere links and owners do
not matter: an administrator or a deploy put them there.

What is looked at here may be another thing when it is opened. In a folder with the sticky bit others cannot exchange
what this user or root has put there, so it is looked at again for each file that is opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from hueyio.exceptions import ConfigurationError

__all__ = ["DEFAULT_MODE", "NO_LINK", "check_mode", "check_path", "create_file", "is_exposed", "make_folders"]

DEFAULT_MODE: Final = 0o600

NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
"""The flag by which ``os.open`` follows no link at the end of a path."""

_IS_POSIX: Final = hasattr(os, "geteuid")
_OWNERS: Final = stat.S_IRUSR | stat.S_IWUSR


def check_mode(kind: str, mode: object) -> None:
    """Raise ConfigurationError unless it is the mode of a file that its owner can use, and not everybody can write."""
    if not isinstance(mode, int) or isinstance(mode, bool) or mode & ~0o666 or mode & _OWNERS != _OWNERS:
        shown = oct(mode) if type(mode) is int else repr(mode)
        raise ConfigurationError(f"{kind}: mode must be that of files, such as 0o600 or 0o660, not {shown}")
    if mode & stat.S_IWOTH:
        raise ConfigurationError(f"{kind}: mode {oct(mode)} would let everybody write; share by a group, with 0o660")


def create_file(path: str, mode: int, flags: int = os.O_RDWR) -> int:
    """Make a file that is not there, and open it; raises FileExistsError, also for a link to nothing."""
    fd = os.open(path, flags | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | NO_LINK, mode)
    if _IS_POSIX and stat.S_IMODE(os.fstat(fd).st_mode) != mode:  # the umask took some of it
        os.fchmod(fd, mode)
    return fd


def make_folders(path: str, mode: int) -> None:
    """Make a folder for files of this mode, and all above it that are missing.

    Raises ConfigurationError for what ``check_path`` refuses.
    """
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent != path:
            make_folders(parent, mode)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _folder_mode(mode))
            _open_up(path, _folder_mode(mode))
            return
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    check_path(path, mode)


def check_path(path: str, mode: int) -> None:
    """Raise ConfigurationError if strangers may have put there what stands at a path, or at a part of it."""
    if not _IS_POSIX:
        return
    for form in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        for part in _parts(form):
            _check_part(part, mode)


def is_exposed(path: str, mode: int) -> bool:
    """Say whether strangers may put something at this path."""
    if not _IS_POSIX:
        return False
    try:
        return _is_shared(os.stat(os.path.dirname(path)), mode)
    except OSError:
        return False


def _check_part(path: str, mode: int) -> None:
    folder = os.path.dirname(path)
    try:
        around = os.stat(folder)
        if not _is_shared(around, mode):
            return
        found = os.lstat(path)
    except OSError:  # nothing is there; or nobody may look, and then opening it says so
        return
    if stat.S_ISLNK(found.st_mode):
        what = "is a link"
    elif found.st_uid not in (os.geteuid(), 0, around.st_uid) and not _is_partners(around, mode):
        what = f"belongs to another user (uid {found.st_uid})"
    else:
        return
    raise ConfigurationError(
        f"{path} {what}, and {folder} is a folder that others may write to: it is not used. Keep the queue in a folder "
        "that only its users can write to"
    )


def _is_shared(folder: os.stat_result, mode: int) -> bool:
    """Say whether others may write to a folder than its owner, root, and those who share the queue."""
    if folder.st_mode & stat.S_IWOTH:
        return True
    if not folder.st_mode & stat.S_IWGRP:
        return False
    return not (mode & stat.S_IWGRP or _is_own_group(folder.st_gid))


def _is_partners(folder: os.stat_result, mode: int) -> bool:
    """Say whether all who may write to a folder share the queue."""
    return bool(mode & stat.S_IWGRP) and not folder.st_mode & stat.S_IWOTH


@cache
def _is_own_group(gid: int) -> bool:
    """Say whether a group has this user's name and nobody else: many systems give each user one."""
    try:
        group = import_module("grp").getgrgid(gid)
        user = import_module("pwd").getpwuid(os.geteuid())
    except (ImportError, KeyError):
        return False
    return bool(group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name})


def _parts(path: str) -> Iterator[str]:
    """Yield each part of an absolute path, as a path, from the top."""
    above = os.path.dirname(path)
    if above != path:
        yield from _parts(above)
        yield path


def _folder_mode(mode: int) -> int:
    """Let those into a folder who may read or write its files."""
    return mode | (mode & 0o444) >> 2


def _open_up(path: str, mode: int) -> None:
    """Set the mode that the umask may have narrowed; the bit that hands on the folder's group stays."""
    if not _IS_POSIX:
        return
    found = stat.S_IMODE(os.stat(path).st_mode)
    wanted = mode | found & stat.S_ISGID
    if found != wanted:
        os.chmod(path, wanted)
