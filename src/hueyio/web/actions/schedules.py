"""Actions on schedules: run now, pause, resume, edit, remove."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from hueyio.client.prepare import prepare
from hueyio.client.producer import Producer
from hueyio.control.audit import record
from hueyio.exceptions import HueyException
from hueyio.schedules.changes import ScheduleChange, change_schedule
from hueyio.schedules.stored import Schedules
from hueyio.schedules.switches import outline, remove_schedule, set_paused
from hueyio.schedules.ticks import call_of
from hueyio.times.crontab import crontab
from hueyio.times.timetable import make_timetable
from hueyio.web.actions.rescheduling import Asked, Shown, fields_of, look, read_asked, texts_of
from hueyio.web.actions.verb import SURE, Done, Question, Undo, Verb
from hueyio.web.forgery import Form
from hueyio.web.refusal import Refusal
from hueyio.web.shown import plain
from hueyio.web.view import View

__all__ = ["VERBS"]

_MOST_TOLD: Final = 3
"""Times that are named before somebody agrees to a rule."""


async def _ask_run(view: View, form: Form) -> Question:
    field, name = _which(form)
    return Question(
        title=f"Run {plain(name, 200)} now?",
        effect="One task is enqueued now; the regular times stay.",
        yes="Run now",
        no="Not now",
        carried=[(field, name)],
    )


async def _run(view: View, form: Form) -> str:
    (field, name), core = _which(form), view.source.core
    if view.source.app is None:
        raise Refusal(409, "A schedule can be run now where the application's code is.")
    producer = core.part(Producer, Producer)
    spec = core.registry.get(name) if field == "code" else None
    try:
        if spec is not None and spec.timetable is not None:
            call = call_of(spec)
            await producer.send(call, prepare(core, call))
        else:
            await Schedules(producer).run_now(name)
    except KeyError:
        raise _gone(name) from None
    except HueyException as error:
        raise Refusal(409, f"It cannot be run: {error}.") from None
    await record(view.session, view.visitor.actor, "run schedule", name)
    return f"{plain(name, 200)} is enqueued."


async def _ask_pause(view: View, form: Form) -> Question:
    name = _name_of(form)
    effect = "It rests until it is resumed; what it misses is not made up."
    return Question(f"Pause {plain(name, 200)}?", effect, "Pause", carried=[("name", name)])


async def _pause(view: View, form: Form) -> Done:
    return await _set_paused(view, _name_of(form), paused=True)


async def _ask_resume(view: View, form: Form) -> Question:
    name = _name_of(form)
    return Question(f"Resume {plain(name, 200)}?", "It goes on from now.", "Resume", carried=[("name", name)])


async def _resume(view: View, form: Form) -> Done:
    return await _set_paused(view, _name_of(form), paused=False)


async def _set_paused(view: View, name: str, *, paused: bool) -> Done:
    (data,) = await view.session.peek("schedules", [name])
    if not await set_paused(view.session, name, paused, view.now.timestamp()):
        raise _gone(name)
    await record(view.session, view.visitor.actor, f"{'pause' if paused else 'resume'} schedule", name)
    # A pause drops what was to be made up, whatever is done afterwards: the page asks before that.
    seen = None if data is None else outline(name, data)
    is_undone = seen is not None and seen.paused is not paused and not (paused and seen.catch_up)
    undo = Undo("resume-schedule" if paused else "pause-schedule", [("name", name)])
    return Done(f"{plain(name, 200)} {'rests' if paused else 'goes on'}.", undo if is_undone else None)


async def _ask_edit(view: View, form: Form) -> Question:
    name = _name_of(form)
    shown = await look(view, name)
    if shown is None:
        raise _gone(name)
    version = form.get("version") or shown.version
    title, carried = f"Change {plain(name, 200)}", [("name", name), ("version", version)]
    asked = read_asked(view, shown, form)
    texts = texts_of(shown)
    typed = {key: form.get(key) for key in texts if form.all(key)}
    errors = asked.errors if form.all("rule") else {}
    if errors or not form.all("rule") or asked.times is None:
        effect = f"It calls {plain(shown.seen.task or 'what cannot be read here', 200)}. {shown.why}".strip()
        return Question(title, effect, "Look at it", carried=carried, fields=fields_of(shown, typed, errors))
    return Question(
        title=f"{title}?",
        effect=f"It is {shown.seen.times or 'not readable'} now, and will be {asked.times}, from this moment on.",
        yes="Change it",
        no="Leave it",
        carried=[*carried, *typed.items(), (SURE, "1")],
        notes=[*asked.remarks, _tell_times(view, asked.times), *_tell_rest(shown, asked)],
    )


def _tell_times(view: View, times: crontab) -> str:
    """Say when it is due next: that tells a wrong rule better than any words."""
    table = make_timetable(times, utc=view.source.core.utc)
    at, found = view.now.timestamp(), list[str]()
    while len(found) < _MOST_TOLD and (due := table.next(at)) is not None:
        found.append(datetime.fromtimestamp(due, view.zone.info).strftime("%a %d %b %Y %H:%M:%S %Z"))
        at = due
    if times.tz is None and view.source.app is None:
        found.append("so in UTC; an application with utc=False takes its local time")
    return f"Next: {'; '.join(found)}." if found else "It is never due."


def _tell_rest(shown: Shown, asked: Asked) -> list[str]:
    told = ["It rests until it is resumed."] if shown.seen.paused else []
    if asked.catch_up != shown.seen.catch_up:
        told.append(f"The last time that is missed is {'made up' if asked.catch_up else 'not made up any more'}.")
    if asked.call is not None:
        told.append(f"It is called with {plain(json.dumps(asked.call.args), 300)} {plain(asked.call.kwargs, 300)}.")
    return told


async def _edit(view: View, form: Form) -> Done:
    name = _name_of(form)
    shown = await look(view, name)
    if shown is None:
        raise _gone(name)
    asked = read_asked(view, shown, form)
    for sentence in asked.errors.values():
        raise Refusal(400, f"Nothing was changed. {sentence}")
    assert asked.times is not None
    change = ScheduleChange(times=asked.times, catch_up=asked.catch_up, call=asked.call)
    serializer, now = view.source.core.serializer, view.now.timestamp()
    match await change_schedule(view.session, name, change, serializer, now, form.get("version")):
        case "gone":
            raise _gone(name)
        case "moved":
            raise Refusal(409, f"Nothing was changed: {plain(name, 200)} is another one since you looked. Look again.")
        case "same":
            return Done(f"{plain(name, 200)} stays as it is: nothing differs.")
        case "changed":
            what = f"{shown.seen.times} -> {asked.times}{', arguments' if asked.call is not None else ''}"
            await record(view.session, view.visitor.actor, "edit schedule", f"{name}: {what}")
    said = f"{plain(name, 200)} is changed: {asked.times}. {_tell_times(view, asked.times)}"
    return Done(said, await _undo_edit(view, name, shown, asked))


async def _undo_edit(view: View, name: str, shown: Shown, asked: Asked) -> Undo | None:
    """Return what writes the former times; None if arguments changed, which no cookie is to carry."""
    after = await look(view, name)
    if asked.call is not None or shown.seen.times is None or shown.seen.catch_up or after is None:
        return None
    former = {key: text for key, text in texts_of(shown).items() if key not in ("args", "kwargs")}
    return Undo("edit-schedule", [("name", name), ("version", after.version), *former.items(), (SURE, "1")])


async def _ask_remove(view: View, form: Form) -> Question:
    name = _name_of(form)
    return Question(
        title=f"Remove the schedule {plain(name, 200)}?",
        effect="It is forgotten; what it enqueued before stays.",
        yes="Remove",
        no="Keep it",
        is_grave=True,
        carried=[("name", name)],
    )


async def _remove(view: View, form: Form) -> str:
    name = _name_of(form)
    if not await remove_schedule(view.session, name):
        raise _gone(name)
    await record(view.session, view.visitor.actor, "remove schedule", name)
    return f"{plain(name, 200)} is removed."


def _which(form: Form) -> tuple[str, str]:
    """Return the name of a schedule behind the field that says where it is: ``code``, or ``name`` of a stored one."""
    code = form.get("code")
    return ("code", code) if code else ("name", _name_of(form))


def _name_of(form: Form) -> str:
    name = form.get("name")
    if not name:
        raise Refusal(400, "Say which schedule.")
    return name


def _gone(name: str) -> Refusal:
    return Refusal(404, f"There is no stored schedule {plain(name, 200)} any more.")


VERBS: Final = (
    Verb(name="run", permission="schedule", ask=_ask_run, do=_run),
    Verb(name="pause-schedule", permission="schedule", ask=_ask_pause, do=_pause),
    Verb(name="resume-schedule", permission="schedule", ask=_ask_resume, do=_resume),
    Verb(name="edit-schedule", permission="schedule", ask=_ask_edit, do=_edit, has_fields=True),
    Verb(name="remove-schedule", permission="schedule", ask=_ask_remove, do=_remove),
)
