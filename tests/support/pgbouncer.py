"""A real PgBouncer between the tests and a PostgreSQL server, where Debian's is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.servers import free_port

__all__ = ["PGBOUNCER", "pooled"]

PGBOUNCER: Final = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_UNPRIVILEGED: Final = "nobody"
_PATIENCE: Final = 20.0


@contextmanager
def pooled(dsn: str, mode: str) -> Iterator[str]:
    """Put a pooler before a database, with ``pool_mode``; give the address behind which it is."""
    assert PGBOUNCER is not None
    folder, port, known = Path(tempfile.mkdtemp(prefix="hueyio-bouncer-")), free_port(), conninfo_to_dict(dsn)
    (folder / "users.txt").write_text(f'"{known["user"]}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={known['host']} port={known['port']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {folder / 'users.txt'}\npool_mode = {mode}\ndefault_pool_size = 4\nlogfile =\npidfile =\n"
    )
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it refuses to be root's
        as_user = {"user": pwd.getpwnam(_UNPRIVILEGED).pw_uid}
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, _UNPRIVILEGED)
    with subprocess.Popen(
        [PGBOUNCER, folder / "pgbouncer.ini"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **as_user
    ) as process:
        try:
            _wait_until_it_listens(process, port)
            yield make_conninfo(dsn, host="127.0.0.1", port=port)
        finally:
            process.kill()
            shutil.rmtree(folder)


def _wait_until_it_listens(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"PgBouncer does not answer:\n{process.communicate()[1]}") from None
            time.sleep(0.01)  # nothing announces it
        else:
            return
