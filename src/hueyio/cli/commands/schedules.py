"""``hueyio schedules``."""

from __future__ import annotations

from typing import Any

import click

from hueyio.cli.calls import ARGUMENTS, FORMAT, Format, make_call, serializer_for
from hueyio.cli.failures import NothingFound
from hueyio.cli.options import AS, FULL, YES, command, limit
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.exceptions import ConfigurationError
from hueyio.schedules.seen import SeenSchedule, see_schedules
from hueyio.schedules.stored import StoredSchedule
from hueyio.schedules.switches import remove_schedule, set_paused
from hueyio.times.crontab import crontab

__all__ = ["schedules"]


@command(["schedules list -a app:huey", "schedules list --file app.db --json"], limit(200), FULL)
def list_(asked: Asked, limit: int) -> int:
    """List the schedules that are kept in the storage, and with the app the periodic tasks that it declares.

    Without the app, times are in UTC unless a schedule names a zone.
    """
    return visit(asked, lambda at: _list(at, limit))


async def _list(at: Visit, limit: int) -> int:
    found = await see_schedules(at.core, at.session, limit, at.now, with_code=at.has_app)
    columns = ("name", "task", "rule", "from", "next", "last", "paused")
    at.output.print_list("schedules", columns, [_row(it) for it in found], queue=at.huey.name)
    if not found and not at.output.as_json:
        at.output.say(f"no schedule in {at.where}")
    return 0


def _row(it: SeenSchedule) -> dict[str, Any]:
    return {
        "name": it.name,
        "task": it.task,
        "rule": it.rule,
        "from": it.source,
        "next": it.next_run,
        "last": it.last_run,
        "paused": it.paused,
    }


@command(
    [
        "schedules add tea '0 16 * * *' shop.kitchen.boil '[2]' -a app:huey",
        "schedules add sweep '*/5 * * * *' shop.cart.sweep --file app.db",
    ],
    click.argument("name"),
    click.argument("rule"),
    click.argument("task"),
    ARGUMENTS,
    click.option("--tz", metavar="ZONE", help="the zone of its times, such as Europe/Paris"),
    click.option("--catch-up", is_flag=True, help="make up the last time that was missed while no worker ran"),
    FORMAT,
    AS,
)
def add(
    asked: Asked,
    name: str,
    rule: str,
    task: str,
    arguments: str,
    tz: str | None,
    catch_up: bool,
    format: Format | None,
) -> int:
    """Call a task whenever RULE says so: the five fields of a crontab.

    A schedule of the same name is replaced. Running workers follow it at once.
    """
    times = _read_rule(rule, tz)
    return visit(asked, lambda at: _add(at, name, times, task, arguments, catch_up, format))


def _read_rule(rule: str, tz: str | None) -> crontab:
    try:
        return crontab.parse(rule, tz=tz)
    except (ValueError, ConfigurationError) as error:
        raise click.BadParameter(str(error), param_hint="RULE") from None


async def _add(
    at: Visit, name: str, times: crontab, task: str, arguments: str, catch_up: bool, format: Format | None
) -> int:
    serializer = serializer_for(at, format)
    call = make_call(at, task, arguments, None, None)
    if at.has_app:
        await at.huey.schedules().add(name, call, times, catch_up=catch_up)
    else:
        made = StoredSchedule(name=name, times=times, task=call, catch_up=catch_up, since=at.now)
        await at.session.put("schedules", {name: made.to_bytes(serializer)})
    await at.note("add schedule", f"{name}: {task} {times}")
    at.output.done(f"{name}: {task} {times}", queue=at.huey.name, name=name, task=task, rule=str(times))
    return 0


@command(["schedules pause tea -a app:huey", "schedules pause tea --file app.db"], click.argument("name"), AS)
def pause(asked: Asked, name: str) -> int:
    """Let a schedule rest until `hueyio schedules resume`."""
    return visit(asked, lambda at: _set_paused(at, name, True))


@command(["schedules resume tea -a app:huey", "schedules resume tea --file app.db"], click.argument("name"), AS)
def resume(asked: Asked, name: str) -> int:
    """Go on with a schedule that rests, from now on: what it missed is not made up."""
    return visit(asked, lambda at: _set_paused(at, name, False))


async def _set_paused(at: Visit, name: str, paused: bool) -> int:
    if not await set_paused(at.session, name, paused, at.now):
        raise _missing(at, name)
    await at.note(f"{'pause' if paused else 'resume'} schedule", name)
    at.output.done(f"{name} {'rests' if paused else 'goes on'}.", queue=at.huey.name, name=name, paused=paused)
    return 0


@command(
    ["schedules remove tea -a app:huey", "schedules remove tea --file app.db --yes"], click.argument("name"), YES, AS
)
def remove(asked: Asked, name: str) -> int:
    """Forget a schedule; what it enqueued before stays."""
    return visit(asked, lambda at: _remove(at, name))


async def _remove(at: Visit, name: str) -> int:
    (found,) = await at.session.peek("schedules", [name])
    if not found:
        raise _missing(at, name)
    at.confirm(f"Remove the schedule {name} of {at.where}?")
    if not await remove_schedule(at.session, name):
        raise _missing(at, name)
    await at.note("remove schedule", name)
    at.output.done(f"{name} is removed.", queue=at.huey.name, removed=name)
    return 0


def _missing(at: Visit, name: str) -> NothingFound:
    if at.core.registry.get(name) is not None:
        return NothingFound(f"{name} is declared in the code of the app, and changed there")
    return NothingFound(f"no schedule named {name!r} in {at.where}")


schedules = click.Group(
    "schedules",
    commands=[list_, add, pause, resume, remove],
    help="List, add, pause, resume or remove schedules.",
)
