"""``hueyio migrate``."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from hueyio.cli.opening import load_app
from hueyio.cli.options import command
from hueyio.cli.place import find_place
from hueyio.cli.visit import Asked
from hueyio.exceptions import ConfigurationError
from hueyio.storage.postgres_url import import_part, is_postgres_url

__all__ = ["migrate"]


@command(
    ["migrate --url postgresql://owner@db/shop", "migrate -a app:huey --sql > hueyio.sql"],
    click.option("--sql", is_flag=True, help="only print the SQL that it would run"),
    click.option(
        "--from", "version", type=click.IntRange(min=0), metavar="VERSION",
        help="with --sql: that the tables have this version, in place of asking the server; 0: there are none",
    ),
)  # fmt: skip
def migrate(asked: Asked, sql: bool, version: int | None) -> int:
    """Make the tables and functions in a PostgreSQL database, or bring them forward to what this hueyio needs.

    Workers do it by themselves when they start, if their role may create tables; this is for all others. All of it is
    one transaction, and workers of the version before go on meanwhile. The other storages need no such step.
    """
    if version is not None and not sql:
        raise click.UsageError("--from goes with --sql: what is run begins where the database is")
    module = import_part("migrating")
    address = _find_address(asked, module)
    if sql:
        found: int = asyncio.run(module.find_version(address, asked.timeout)) if version is None else version
        print(module.script(address.schema, found), end="")
        return 0
    before, after = asyncio.run(module.bring_forward(address, asked.timeout))
    now = f"The schema {address.schema} of {address.where} has version {after}"
    text = f"{now}, as this hueyio needs it." if before == after else f"{now}; it had {before or 'no tables'}."
    asked.output().done(text, schema=address.schema, before=before, after=after)
    return 0


def _find_address(asked: Asked, module: Any) -> Any:
    place = find_place(asked.place, os.environ, Path.cwd())
    if place.app is not None:
        storage: Any = load_app(place.app).storage
        if isinstance(storage, module.PostgresStorage):
            return storage.address
    elif place.url is not None and is_postgres_url(place.url):
        return module.read_url(place.url)
    raise ConfigurationError(
        "only a PostgreSQL database needs this command: the other storages are brought forward when they are opened"
    )
