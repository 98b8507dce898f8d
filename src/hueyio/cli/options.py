"""The options that all commands share, and the Click command that is made of a function."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final

import click

from hueyio.cli.failures import leave_quietly
from hueyio.cli.moments import read_moment
from hueyio.cli.place import Place
from hueyio.cli.visit import Asked

__all__ = [
    "AS",
    "DRY_RUN",
    "FORM",
    "FULL",
    "NAME",
    "PLACE",
    "SINCE",
    "UNTIL",
    "YES",
    "command",
    "ids_from",
    "limit",
]

Function = Callable[..., int]

PLACE: Final[tuple[Callable[[Function], Function], ...]] = (
    click.option("-a", "--app", metavar="MODULE:ATTRIBUTE", help="the Huey of the application, such as app:huey"),
    click.option(
        "--url", metavar="URL", help="the server, instead of the app: redis://host:6379/0, postgresql://host/database"
    ),
    click.option("--file", metavar="PATH", help="the SQLite file or the folder, instead of the app"),
    click.option("--queue", metavar="NAME", help="the queue there (default: huey, or the only one of a file)"),
)
FORM: Final[tuple[Callable[[Function], Function], ...]] = (
    click.option("--json", "as_json", is_flag=True, help="print one JSON object"),
    click.option("--utc", is_flag=True, help="print times in UTC"),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        default=5.0,
        show_default=True,
        help="how long the storage may take to answer",
    ),
    click.option("--no-input", is_flag=True, help="ask nothing: what would be asked needs --yes"),
    click.option("-q", "--quiet", is_flag=True, help="print data and errors only"),
    click.option("-v", "--verbose", is_flag=True, help="log what is done, and where an error comes from"),
)
YES: Final = click.option("-y", "--yes", is_flag=True, help="do it without asking")
AS: Final = click.option(
    "--as", "actor", metavar="WHO", help="who does it, for `hueyio audit` (default: HUEYIO_ACTOR, or user@host)"
)
DRY_RUN: Final = click.option("--dry-run", is_flag=True, help="only say how many there are")
SINCE: Final = click.option(
    "--since", type=read_moment, metavar="MOMENT", help="only from then on: a span back, such as 15m, or ISO 8601"
)
UNTIL: Final = click.option("--until", type=read_moment, metavar="MOMENT", help="only before then, written likewise")
FULL: Final = click.option("--full", is_flag=True, help="cut nothing: whole ids, exact times")
NAME: Final = click.option("--name", metavar="GLOB", help="only tasks of these names, such as 'shop.mail.*'")


def limit(default: int) -> Callable[[Function], Function]:
    """Make the option that says how many are listed."""
    return click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", default=default, show_default=True, help="how many at most"
    )


def command(examples: Sequence[str], *own: Callable[[Function], Function]) -> Callable[[Function], click.Command]:
    """Make a Click command of a function that takes ``Asked`` and its own parameters, and returns the exit code.

    Its docstring is the help, behind the examples.
    """

    def make(function: Function) -> click.Command:
        @wraps(function)
        def run(**given: Any) -> int:
            asked = _take(given)
            try:
                return function(asked, **given)
            except BrokenPipeError:  # Click would call it a failure
                return leave_quietly()

        run.__doc__ = None
        decorated: Function = run
        for option in reversed((*own, *PLACE, *FORM)):
            decorated = option(decorated)
        shown = "\n".join(["\b", *(f"$ hueyio {example}" for example in examples)])
        text = f"{shown}\n\n{_unwrapped(function.__doc__ or '')}"
        return click.command(name=function.__name__.strip("_").replace("_", "-"), help=text)(decorated)

    return make


def ids_from(given: Sequence[str]) -> list[str]:
    """Return the ids of a command line, each once; ``-`` stands for those on standard input, first in each line."""
    ids: dict[str, None] = {}
    for word in given:
        lines = sys.stdin if word == "-" else [word]
        ids.update(dict.fromkeys(line.split("\t")[0].strip() for line in lines))
    ids.pop("", None)
    return list(ids)


def _take(given: dict[str, Any]) -> Asked:
    """Take the common options out of what was given."""
    if given.pop("verbose"):
        logging.basicConfig(level=logging.INFO)
        logging.getLogger("hueyio").setLevel(logging.DEBUG)
    else:
        logging.basicConfig(level=logging.ERROR, format="hueyio: %(message)s")
    place = Place(**{key: given.pop(key) for key in ("app", "url", "file", "queue")})
    form = {key: given.pop(key) for key in ("as_json", "utc", "timeout", "no_input", "quiet")}
    own = {"yes": given.pop("yes", False), "full": given.pop("full", False), "actor": given.pop("actor", None)}
    return Asked(place=place, **form, **own)


def _unwrapped(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
