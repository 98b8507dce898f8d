"""``hueyio web``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from hueyio.cli.opening import Opened, open_place
from hueyio.cli.options import command
from hueyio.cli.place import Place, find_place
from hueyio.cli.visit import Asked
from hueyio.core import core_of
from hueyio.exceptions import ConfigurationError
from hueyio.web.settings import Settings

__all__ = ["web"]

_PASSWORD: Final = "HUEYIO_WEB_PASSWORD"
_TOKEN: Final = "HUEYIO_WEB_TOKEN"
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


@command(
    ["web app:huey", "web --file app.db --port 9000 --read-only"],
    click.argument("apps", nargs=-1, metavar="[MODULE:ATTRIBUTE]..."),
    click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="where to listen (default: 127.0.0.1)"),
    click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", default=8080, show_default=True,
                 help="the port; 0 takes any that is free"),
    click.option("--host-name", "host_names", multiple=True, metavar="NAME",
                 help="a name by which browsers reach it, beside localhost and the address; may be repeated"),
    click.option("--prefix", metavar="PATH", default="", help="the path below which a proxy shows it, such as /queue"),
    click.option("--trusted-proxy", "proxies", multiple=True, metavar="ADDRESS",
                 help="a proxy whose X-Forwarded headers count, or a network of them; may be repeated"),
    click.option("--user-header", metavar="HEADER",
                 help="the header in which a trusted proxy says who the visitor is; who has one may operate"),
    click.option("--read-only", is_flag=True, help="nobody may change anything"),
    click.option("--arguments", is_flag=True, help="show the arguments of tasks; needs the app"),
)  # fmt: skip
def web(
    asked: Asked,
    apps: Sequence[str],
    host: str,
    port: int,
    host_names: Sequence[str],
    prefix: str,
    proxies: Sequence[str],
    user_header: str | None,
    read_only: bool,
    arguments: bool,
) -> int:
    """Serve the dashboard of one queue or several, until Ctrl-C.

    It listens on this machine alone, and answers to its names only. On any other address it needs to know who comes: a
    password in HUEYIO_WEB_PASSWORD, a token for scripts in HUEYIO_WEB_TOKEN (as Authorization: Bearer), or
    --user-header with --trusted-proxy. It needs the extra: pip install 'hueyio[web]'.
    """
    doors_of, dashboard, serving, logins, live = map(_load, ("doors", "dashboard", "serving", "login", "live"))
    password, token = os.environ.get(_PASSWORD) or None, os.environ.get(_TOKEN) or None
    login = logins.Login(password=password, token=token) if password or token else None
    if user_header is not None and not proxies:
        raise click.UsageError("--user-header counts from a --trusted-proxy only: name one")
    if prefix and not prefix.startswith("/"):
        raise click.UsageError("--prefix is a path, such as /queue")
    doors = doors_of.Doors(login=login, user_header=user_header)
    if doors.is_open and not doors_of.is_loopback(host):
        raise ConfigurationError(
            f"on {host} others reach the dashboard: set {_PASSWORD} or {_TOKEN}, or name --user-header and "
            "--trusted-proxy, so that it knows who comes"
        )
    opened = [open_place(place, asked.timeout) for place in _places(asked.place, apps)]
    settings = Settings(
        authorize=doors.authorize,
        actor=doors.actor,
        read_only=read_only,
        arguments=arguments,
        prefix=prefix,
        host_names=[*_LOCAL_NAMES, host if ":" not in host else f"[{host}]", *host_names],
    )
    cores = [core_of(it.huey) for it in opened]
    sources = [dashboard.Source(core=core, app=it.app) for core, it in zip(cores, opened, strict=True)]
    made = dashboard.make_dashboard(sources, settings, login)
    app = doors_of.FromProxies(made, doors_of.read_networks(proxies))
    with serving.listen(host, port) as listening:
        _say_where(host, listening.getsockname()[1], prefix)
        asyncio.run(serving.serve(app, listening, lambda: live.stop_feeds(cores), lambda: _close(opened)))
    return 0


def _load(name: str) -> Any:
    try:
        return import_module(f"hueyio.web.{name}")  # when it is needed: it is an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"hueyio web needs {error.name}: pip install 'hueyio[web]'") from error


def _places(given: Place, apps: Sequence[str]) -> list[Place]:
    named = [Place(app=app) for app in apps]
    if named and not given.ways():
        return named
    return [*named, find_place(given, os.environ, Path.cwd())]


def _say_where(host: str, port: int, prefix: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"http://{shown}:{port}{prefix.rstrip('/')}/ (Ctrl-C ends it)", file=sys.stderr, flush=True)


async def _close(opened: Sequence[Opened]) -> None:
    for it in opened:
        await it.huey.close()
