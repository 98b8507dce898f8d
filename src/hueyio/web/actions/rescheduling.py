"""The form that changes a stored schedule: what it shows, and what somebody typed into it, checked field by field.

Times and the switch are data, and changed wherever the storage is reached. Arguments stand in a message: they are shown
and can be changed where the application's code is, if arguments may be shown whole.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hueyio.client.prepare import prepare
from hueyio.exceptions import DeclarationWarning, HueyException, SerializationError
from hueyio.schedules.changes import version_of
from hueyio.schedules.stored import StoredSchedule
from hueyio.schedules.switches import Outline, outline
from hueyio.tasks.task import Task
from hueyio.times.crontab import crontab
from hueyio.web.actions.verb import Field
from hueyio.web.forgery import Form
from hueyio.web.refusal import Refusal
from hueyio.web.view import View

__all__ = ["Asked", "Shown", "fields_of", "look", "read_asked", "texts_of"]

_YES: Final = "yes"
_NO: Final = "no"
_ARGUMENTS: Final = ("args", "kwargs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A stored schedule as the form shows it. ``call`` None: its arguments are not shown, and ``why``."""

    seen: Outline
    version: str
    call: Task | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants. ``errors`` are sentences by field; with any of them nothing else counts."""

    errors: Mapping[str, str]
    times: crontab | None = None
    catch_up: bool = False
    call: Task | None = None
    """None: the arguments stay."""
    remarks: Sequence[str] = ()
    """What there is to say about the times."""


async def look(view: View, name: str) -> Shown | None:
    """Read a schedule as far as it may be shown; None: there is none of that name."""
    (data,) = await view.session.peek("schedules", [name])
    if not data:
        return None
    call, why = _call_in(view, name, data)
    return Shown(seen=outline(name, data), version=version_of(data), call=call, why=why)


def _call_in(view: View, name: str, data: bytes) -> tuple[Task | None, str]:
    if view.source.app is None:
        return None, "Its arguments can be changed where the application's code is."
    if not view.settings.arguments or view.settings.redact is not None:
        return None, "Its arguments are not shown whole here, and so cannot be changed."
    try:
        call = StoredSchedule.from_bytes(name, data, view.source.core.serializer).task
    except SerializationError:
        return None, "Its call cannot be read here."
    if not (_is_json(list(call.args)) and _is_json(call.kwargs)):
        return None, "Its arguments are no JSON, and are changed in the code."
    return call, ""


def _is_json(value: Any) -> bool:
    """Say whether a value comes back from JSON as it is, with its types."""
    try:
        return repr(json.loads(json.dumps(value, allow_nan=False))) == repr(value)
    except (TypeError, ValueError, RecursionError):
        return False


def texts_of(shown: Shown) -> dict[str, str]:
    """Return what the fields of a schedule have in them."""
    times = {} if shown.seen.times is None else shown.seen.times.to_dict()
    line = " ".join(str(times[it]) for it in ("minute", "hour", "day", "month", "day_of_week")) if times else ""
    texts = {
        "rule": line,
        "second": times.get("second", ""),
        "tz": times.get("tz", ""),
        "catch_up": _YES if shown.seen.catch_up else _NO,
    }
    if shown.call is not None:
        values = (list(shown.call.args), shown.call.kwargs)
        texts |= {key: json.dumps(it, ensure_ascii=False) for key, it in zip(_ARGUMENTS, values, strict=True)}
    return texts


def fields_of(shown: Shown, typed: Mapping[str, str], errors: Mapping[str, str]) -> list[Field]:
    """Return the fields of the form, with what somebody typed and what is wrong with it."""
    hints = {
        "rule": ("When", "minute hour day month weekday, such as */5 9-17 * * mon-fri"),
        "second": ("Second", "empty for second 0; */10 for every ten seconds"),
        "tz": ("Time zone", "such as Europe/Paris; empty for the application's own"),
        "catch_up": ("Make up the last time that was missed while no worker ran", ""),
        "args": ("Arguments", "a JSON list"),
        "kwargs": ("Named arguments", "a JSON object"),
    }
    return [
        Field(
            name=key,
            label=hints[key][0],
            hint=hints[key][1],
            value=typed.get(key, text),
            error=errors.get(key, ""),
            options=(_YES, _NO) if key == "catch_up" else (),
        )
        for key, text in texts_of(shown).items()
    ]


def read_asked(view: View, shown: Shown, form: Form) -> Asked:
    """Read what somebody typed; a field that the form has not stays as it is.

    Raises Refusal for arguments that are not shown, and so cannot be changed.
    """
    before = texts_of(shown)
    typed = {key: form.get(key).strip() if form.all(key) else text for key, text in before.items()}
    times, remarks, errors = _read_times(typed)
    if typed["catch_up"] not in (_YES, _NO):
        errors["catch_up"] = f"Say {_YES} or {_NO}."
    call = None
    if shown.call is None and any(form.all(key) for key in _ARGUMENTS):
        raise Refusal(409, f"Nothing was changed. {shown.why}")
    if shown.call is not None and any(typed[key] != before[key] for key in _ARGUMENTS):
        call, wrong = _read_call(view, shown.call, typed)
        errors |= wrong
    return Asked(errors=errors, times=times, catch_up=typed["catch_up"] == _YES, call=call, remarks=remarks)


def _read_times(typed: Mapping[str, str]) -> tuple[crontab | None, list[str], dict[str, str]]:
    if not typed["rule"]:
        return None, [], {"rule": "Say when, such as 0 16 * * mon-fri."}
    try:
        # What is hardly meant is warned of, which is for who wrote it. Nothing is awaited while it is caught.
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", DeclarationWarning)
            times = crontab.parse(typed["rule"], second=typed["second"] or None, tz=typed["tz"] or None)
    except (ValueError, OSError) as error:
        sentence = str(error).removeprefix("crontab ")
        field = next((it for it in ("tz", "second") if sentence.startswith(f"{it}=")), "rule")
        return None, [], {field: f"{sentence}."}
    return times, [f"{it.message}." for it in said if issubclass(it.category, DeclarationWarning)], {}


def _read_call(view: View, call: Task, typed: Mapping[str, str]) -> tuple[Task | None, dict[str, str]]:
    read: dict[str, Any] = {}
    for key, kind, example in (("args", list, "list, such as [1, 2]"), ("kwargs", dict, 'object, such as {"a": 1}')):
        try:
            read[key] = json.loads(typed[key])
        except (ValueError, RecursionError) as error:
            return None, {key: f"This is no JSON: {error}."}
        if not isinstance(read[key], kind):
            return None, {key: f"This is no JSON {example}."}
    changed = call.replaced(args=tuple(read["args"]), kwargs=read["kwargs"])
    try:
        prepare(view.source.core, changed)
    except (HueyException, ValueError) as error:
        is_named = read["args"] == list(call.args)
        return None, {"kwargs" if is_named else "args": f"{error}."}
    return changed, {}
