"""``hueyio put``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import click

from hueyio.cli.calls import ARGUMENTS, FORMAT, Format, make_call, serializer_for
from hueyio.cli.failures import EXIT_NOTHING
from hueyio.cli.moments import read_moment, read_span
from hueyio.cli.options import AS, command
from hueyio.cli.text import iso
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.client.prepare import prepare
from hueyio.client.producer import Producer
from hueyio.exceptions import ConfigurationError, TaskException
from hueyio.messages.entry import make_entry
from hueyio.serializer import Serializer
from hueyio.tasks.task import Task

__all__ = ["put"]


@command(
    ["put shop.mail.send_receipt '[20931]' -a app:huey --delay 30", "put shop.mail.clean --file app.db"],
    click.argument("name"),
    ARGUMENTS,
    click.option("--delay", type=read_span, metavar="SPAN", help="so long from now: 30 (seconds), 15m, 2h"),
    click.option("--eta", type=read_moment, metavar="MOMENT", help="not before then, in ISO 8601"),
    click.option("--priority", type=float, metavar="NUMBER", help="higher first"),
    click.option(
        "--wait", type=read_span, metavar="SPAN", help="wait at most so long for its end, and print its result"
    ),
    click.option("--header", "headers", multiple=True, metavar="KEY=VALUE", help="a header; may be given repeatedly"),
    FORMAT,
    AS,
)
def put(
    asked: Asked,
    name: str,
    arguments: str,
    delay: timedelta | None,
    eta: datetime | timedelta | None,
    priority: float | None,
    wait: timedelta | None,
    headers: Sequence[str],
    format: Format | None,
) -> int:
    """Enqueue a task; print its id.

    NAME is the whole name, with the module. ARGS are JSON: a list, or an object for keywords; `-` reads them from
    standard input. Without the app nothing is checked, and what the task declares is not known: its retries, its
    timeout, its unique key.
    """
    if delay is not None and eta is not None:
        raise click.UsageError("--delay and --eta say the same: give one of them")
    when = eta if delay is None else delay
    carried = _read_headers(headers)
    return visit(asked, lambda at: _put(at, make_call(at, name, arguments, when, priority, carried), wait, format))


def _read_headers(given: Sequence[str]) -> dict[str, str]:
    pairs = [it.partition("=") for it in given]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise click.BadParameter(f"{key!r} is no header, such as trace=4f21", param_hint="--header")
    return {key: value for key, _, value in pairs}


async def _put(at: Visit, task: Task, wait: timedelta | None, format: Format | None) -> int:
    serializer = serializer_for(at, format)
    if wait is not None and not at.has_app:
        raise ConfigurationError("--wait needs the app, which knows how its results are written: say -a")
    id = await _send(at, task, serializer)
    eta = task.eta
    if id != task.id:
        at.output.say("a task with its unique key is alive already:")
    else:
        await at.note("put", f"{task.path} {id}")
    is_later = eta is not None and eta > at.output.now
    if not at.output.as_json:
        when = f"scheduled for {iso(eta, utc=at.asked.utc)}" if eta is not None and is_later else "ready"
        at.output.line(id if at.output.is_piped else f"{id} {when}")
    if wait is not None:
        return await _wait(at, id, wait)
    if at.output.as_json:
        at.output.print_object(
            {"queue": at.huey.name, "id": id, "eta": eta if is_later else None, "new": id == task.id}
        )
    return 0


async def _send(at: Visit, task: Task, serializer: Serializer) -> str:
    """Enqueue the task; return its id, or that of the one that is alive under its unique key."""
    if at.has_app:
        return await Producer(at.core).send(task, prepare(at.core, task)) or task.id
    await at.session.enqueue([make_entry(task, None, serializer, at.now)])
    return task.id


async def _wait(at: Visit, id: str, wait: timedelta) -> int:
    at.take_long()
    told: dict[str, object] = {"queue": at.huey.name, "id": id}
    try:
        value = await at.huey.result_of(id).get(blocking=True, timeout=wait.total_seconds())
    except TaskException as error:
        at.output.done(f"failed: {error}", **told, error=str(error))
        return EXIT_NOTHING
    at.output.done(repr(value), **told, result=repr(value))
    return 0
