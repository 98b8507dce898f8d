"""Actions on schedules: run now, pause, resume, remove."""

from __future__ import annotations

from typing import Final

from hueyio.client.prepare import prepare
from hueyio.client.producer import Producer
from hueyio.control.audit import record
from hueyio.exceptions import HueyException
from hueyio.schedules.stored import Schedules
from hueyio.schedules.switches import remove_schedule, set_paused
from hueyio.schedules.ticks import call_of
from hueyio.web.actions.verb import Question, Verb
from hueyio.web.forgery import Form
from hueyio.web.refusal import Refusal
from hueyio.web.shown import plain
from hueyio.web.view import View

__all__ = ["VERBS"]


async def _ask_run(view: View, form: Form) -> Question:
    name = _name_of(form)
    return Question(
        title=f"Run {plain(name, 200)} now?",
        effect="One task is enqueued now; the regular times stay.",
        yes="Run now",
        no="Not now",
        carried=[("name", name), ("source", form.get("source"))],
    )


async def _run(view: View, form: Form) -> str:
    name, core = _name_of(form), view.source.core
    if view.source.app is None:
        raise Refusal(409, "A schedule can be run now where the application's code is.")
    producer = core.part(Producer, Producer)
    spec = core.registry.get(name) if form.get("source") == "code" else None
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


async def _pause(view: View, form: Form) -> str:
    return await _set_paused(view, _name_of(form), paused=True)


async def _ask_resume(view: View, form: Form) -> Question:
    name = _name_of(form)
    return Question(f"Resume {plain(name, 200)}?", "It goes on from now.", "Resume", carried=[("name", name)])


async def _resume(view: View, form: Form) -> str:
    return await _set_paused(view, _name_of(form), paused=False)


async def _set_paused(view: View, name: str, *, paused: bool) -> str:
    if not await set_paused(view.session, name, paused, view.now.timestamp()):
        raise _gone(name)
    await record(view.session, view.visitor.actor, f"{'pause' if paused else 'resume'} schedule", name)
    return f"{plain(name, 200)} {'rests' if paused else 'goes on'}."


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
    Verb(name="remove-schedule", permission="schedule", ask=_ask_remove, do=_remove),
)
