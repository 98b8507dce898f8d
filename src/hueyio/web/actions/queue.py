"""Actions on a queue: pause, resume, free a lock, and stop what goes on in the background."""

from __future__ import annotations

from typing import Final

from hueyio.control.audit import record
from hueyio.control.pause import pause_queue, resume_queue
from hueyio.limits.held import free_held, held_under
from hueyio.web.actions.jobs import jobs_of
from hueyio.web.actions.verb import Done, Question, Undo, Verb
from hueyio.web.forgery import Form
from hueyio.web.refusal import Refusal
from hueyio.web.shown import plain
from hueyio.web.view import View

__all__ = ["VERBS"]


async def _ask_pause(view: View, form: Form) -> Question:
    return Question(
        title=f"Pause the queue {plain(view.source.name, 100)}?",
        effect="No worker starts another task until somebody resumes it, also after a restart. What runs goes on to "
        "its end; enqueueing works as ever.",
        yes="Pause",
        no="Keep going",
    )


async def _pause(view: View, form: Form) -> Done:
    was_paused = await view.session.paused() is not None
    await pause_queue(view.session, view.visitor.actor)
    return Done("The queue is paused.", None if was_paused else Undo("resume"))


async def _ask_resume(view: View, form: Form) -> Question:
    return Question(f"Resume the queue {plain(view.source.name, 100)}?", "Workers start tasks again.", "Resume")


async def _resume(view: View, form: Form) -> Done:
    was_paused = await view.session.paused() is not None
    await resume_queue(view.session, view.visitor.actor)
    return Done("The queue goes on.", Undo("pause") if was_paused else None)


async def _ask_free(view: View, form: Form) -> Question:
    name = _name_of(form)
    held = await held_under(view.session, name)
    if not held:
        raise Refusal(404, f"Nobody holds {plain(name, 100)} any more.")
    return Question(
        title=f"Free {plain(name, 100)}?",
        effect="A task that runs inside goes on, and so another one may run beside it. Nothing needs this after a "
        "crash: a lock ends with its holder.",
        yes="Free",
        typed=name,
        is_grave=True,
        carried=[("name", name)],
    )


async def _free(view: View, form: Form) -> str:
    name = _name_of(form)
    if form.get("typed") != name:
        raise Refusal(400, "Type the name of what is to be freed.")
    held = await free_held(view.session, name)
    count = sum(map(len, held.values()))
    await record(view.session, view.visitor.actor, "free lock", name, count)
    return f"{plain(name, 100)} is free." if held else f"Nobody held {plain(name, 100)} any more."


async def _ask_stop(view: View, form: Form) -> Question:
    return Question(
        "Stop it?", "What is done stays done, the rest is left.", "Stop", carried=[("job", form.get("job"))]
    )


async def _stop(view: View, form: Form) -> str:
    job = (await jobs_of(view.source.core)).find(form.get("job"))
    if job is None:
        return "It is over already."
    if not view.may(job.permission):
        raise Refusal(403, f"You may not do this: it needs the permission {job.permission}.")
    job.is_stopped = True
    return "It stops."


def _name_of(form: Form) -> str:
    name = form.get("name")
    if not name:
        raise Refusal(400, "Say a name.")
    return name


VERBS: Final = (
    Verb(name="pause", permission="pause", ask=_ask_pause, do=_pause),
    Verb(name="resume", permission="pause", ask=_ask_resume, do=_resume),
    Verb(name="free", permission="free", ask=_ask_free, do=_free),
    Verb(name="stop", permission=None, ask=_ask_stop, do=_stop),
)
