"""From values to HTML: the templates, and the functions by which they show what comes from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from hueyio.web import shown
from hueyio.web.frame import counted_to
from hueyio.wording import counted

__all__ = ["FOLDER", "make_environment", "render"]

FOLDER: Final = Path(__file__).parent


@pass_context
def _moment(context: Context, at: datetime | None, now: datetime) -> Markup:
    return shown.moment(at, now, zone=context["zone"].info)


@pass_context
def _since(context: Context, at: datetime | None, now: datetime) -> Markup:
    return shown.since(at, now, zone=context["zone"].info)


@pass_context
def _stamp(context: Context, at: datetime) -> Markup:
    return shown.stamp(at, zone=context["zone"].info)


_FUNCTIONS: Final = {
    "brief": shown.brief,
    "counted": counted,
    "figure": shown.figure,
    "counted_to": counted_to,
    "moment": _moment,
    "plain": shown.plain,
    "since": _since,
    "split_error": shown.split_error,
    "split_path": shown.split_path,
    "stamp": _stamp,
    "text": shown.text,
}


@cache
def make_environment() -> Environment:
    """Return the templates, compiled once in a process.

    Everything is escaped; a name that is not there is an error and not an empty text.
    """
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_FUNCTIONS)
    return environment


def render(environment: Environment, template: str, values: Mapping[str, Any]) -> str:
    """Return a page."""
    return environment.get_template(template).render(values)
