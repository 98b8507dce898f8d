"""The fixtures as files: where they are, how they are kept, and how a test gets its own copy.

Redis' keys are kept as the dumps of Redis 7.0, which that and all later servers (Valkey's too) restore.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Final

import redis

__all__ = [
    "EXPECTED",
    "FILLED",
    "copy_folder",
    "copy_sqlite",
    "dump_redis",
    "pack_folder",
    "pack_sqlite",
    "restore_redis",
]

FILLED: Final = Path(__file__).parent / "filled"
EXPECTED: Final = FILLED / "expected.json"
"""What the hueyio that filled the queues said of them."""

_SQLITE: Final = FILLED / "queues.sqlite.gz"
_FOLDER: Final = FILLED / "folder.tar.gz"
_REDIS: Final = FILLED / "redis.json"


def pack_sqlite(path: Path) -> None:
    """Keep a file to which nobody writes any more."""
    _SQLITE.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def copy_sqlite(folder: Path) -> str:
    """Give a test its own file."""
    path = folder / "queues.db"
    path.write_bytes(gzip.decompress(_SQLITE.read_bytes()))
    return str(path)


def pack_folder(path: Path) -> None:
    """Keep the files of a folder: an archive that says nothing of who made it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file in sorted(it for it in path.rglob("*") if it.is_file()):
            entry = tarfile.TarInfo(str(file.relative_to(path)))
            entry.size = file.stat().st_size
            with file.open("rb") as data:
                archive.addfile(entry, data)
    _FOLDER.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def copy_folder(folder: Path) -> str:
    """Give a test its own folder."""
    path = folder / "queues"
    shutil.rmtree(path, ignore_errors=True)
    with tarfile.open(_FOLDER) as archive:
        archive.extractall(path, filter="data")
    return str(path)


def dump_redis(url: str) -> None:
    """Keep all keys of a server as what ``DUMP`` says of them; none of them ends by itself."""
    with redis.Redis.from_url(url) as client:
        found: dict[str, str] = {}
        for key in sorted(client.scan_iter()):
            if client.ttl(key) != -1:
                raise RuntimeError(f"{key!r} ends by itself, and a dump does not say when")
            data: Any = client.dump(key)
            found[key.decode()] = b64encode(data).decode()
    _REDIS.write_text(json.dumps(found, indent=1) + "\n")


def restore_redis(url: str, queue: str) -> None:
    """Put the keys of one queue into a server, in the place of those that it has."""
    prefix = f"hueyio:{{{queue}}}:"
    with redis.Redis.from_url(url) as client:
        for key in list(client.scan_iter(f"{prefix}*")):
            client.delete(key)
        for name, dumped in json.loads(_REDIS.read_text()).items():
            if name.startswith(prefix):
                client.restore(name, 0, b64decode(dumped))
