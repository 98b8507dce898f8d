"""``hueyio demo``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from hueyio.cli.failures import leave_quietly
from hueyio.core import Core, core_of
from hueyio.exceptions import ConfigurationError
from hueyio.storage.shared.background import make_task
from hueyio.web.settings import Settings

__all__ = ["demo"]

_HOST: Final = "127.0.0.1"
_FILE: Final = "HUEYIO_DEMO_FILE"


def _demo(port: int, file: str | None) -> int:
    try:
        if file is not None:
            return _run(port, file)
        with TemporaryDirectory(prefix="hueyio-demo-") as folder:
            return _run(port, str(Path(folder) / "shop.db"))
    except BrokenPipeError:  # Click would call it a failure
        return leave_quietly()


def _run(port: int, file: str) -> int:
    dashboard, serving, live = (_load(f"hueyio.web.{it}") for it in ("dashboard", "serving", "live"))
    os.environ[_FILE] = file  # the shop reads it when it is imported
    running, shop = _load("hueyio.demo.running"), _load("hueyio.demo.shop")
    core = core_of(shop.huey)
    settings = Settings(authorize="open", arguments=True, host_names=["localhost", _HOST])
    app = dashboard.make_dashboard([dashboard.Source(core=core, app="hueyio.demo.shop:huey")], settings)
    # Until the server looks after signals: the worker is a process that must be stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with serving.listen(_HOST, port) as listening, running.working(file):
        print(f"a small shop, in {file}", file=sys.stderr)
        print(f"http://{_HOST}:{listening.getsockname()[1]}/ (Ctrl-C ends it)", file=sys.stderr, flush=True)
        asyncio.run(_serve(running, serving, live, app, listening, core, shop.huey))
    return 0


async def _serve(running: Any, serving: Any, live: Any, app: Any, listening: Any, core: Core, huey: Any) -> None:
    orders = make_task(running.order())

    async def close() -> None:
        orders.cancel()
        await asyncio.wait([orders])
        await huey.close()

    await serving.serve(app, listening, lambda: live.stop_feeds([core]), close)


def _load(name: str) -> Any:
    try:
        return import_module(name)  # when it is needed: it is an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"hueyio demo needs {error.name}: pip install 'hueyio[web]'") from error


demo = click.Command(
    "demo",
    callback=_demo,
    params=[
        click.Option(["--port"], type=click.IntRange(0, 65535), metavar="PORT", default=8080, show_default=True,
                     help="the port of the dashboard; 0 takes any that is free"),
        click.Option(["--file"], metavar="PATH", help="the SQLite file of the shop (default: one that is deleted)"),
    ],
    help="\b\n$ hueyio demo\n$ hueyio demo --port 9000 --file shop.db\n\n"
    "Run a small shop on SQLite and its dashboard: a worker, and customers who order.\n\nIts tasks succeed, fail, are "
    "retried, form chords, report progress and hold a lock. Ctrl-C ends all of it. It needs the extra: pip install "
    "'hueyio[web]'.",
)  # fmt: skip
