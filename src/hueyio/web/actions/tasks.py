"""Actions on tasks: retry, delete, cancel, revoke, restore."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from hueyio.control.audit import record
from hueyio.control.cancel import cancel
from hueyio.control.failed_tasks import requeue_some
from hueyio.control.retry_answer import tell_requeued
from hueyio.control.revoke import restore, revoke, revoke_all
from hueyio.messages.revocation import Revocation, class_key, instance_key
from hueyio.storage.records import RUNS_AGAIN, Burial, Requeued
from hueyio.web.actions.chosen import Chosen, Count, chosen_by, count_chosen, find_chosen
from hueyio.web.actions.jobs import jobs_of
from hueyio.web.actions.verb import Done, Question, Undo, Verb
from hueyio.web.filters import read_moment
from hueyio.web.forgery import Form
from hueyio.web.refusal import Refusal
from hueyio.web.shown import plain
from hueyio.web.view import View
from hueyio.wording import counted

__all__ = ["VERBS"]

_STORES: Final[tuple[Burial, ...]] = ("failed", "dead")
_TYPED: Final = 100
"""From so many tasks on their number must be typed before they are deleted."""


async def _ask_retry(view: View, form: Form) -> Question:
    chosen, count = await _choose(view, form)
    return Question(
        title=f"Retry {_tasks(count)}?",
        effect="They are ready at once, with all their retries, and under their ids: who waits for one waits for its "
        "new run, and its pipeline or chord goes on.",
        yes=f"Retry {count}",
        no="Leave them",
        names=count.names,
        carried=chosen.to_fields(view.now),
    )


async def _retry(view: View, form: Form) -> str:
    chosen = chosen_by(form)
    answers: Counter[Requeued] = Counter()

    async def step(ids: Sequence[str]) -> None:
        found = await requeue_some(view.source.core, view.session, dict.fromkeys(ids))
        answers.update(found.values())

    async def tell(is_whole: bool) -> str:
        ready = sum(answers[word] for word in RUNS_AGAIN)
        await record(view.session, view.visitor.actor, "retry", chosen.target, ready)
        return f"{'' if is_whole else 'Stopped. '}{tell_requeued(answers)}"

    jobs = await jobs_of(view.source.core)
    return await jobs.run("Retry", "retry", partial(find_chosen, view, chosen), step, tell)


async def _ask_delete(view: View, form: Form) -> Question:
    chosen, count = await _choose(view, form)
    return Question(
        title=f"Delete {_tasks(count)} for good?",
        effect="They cannot be retried afterwards.",
        yes=f"Delete {count}",
        no="Keep them",
        names=count.names,
        typed=str(count.total) if count.total >= _TYPED or not chosen.ids else "",
        is_grave=True,
        carried=chosen.to_fields(view.now),
    )


async def _delete(view: View, form: Form) -> str:
    chosen = chosen_by(form)
    until = None if chosen.before is None else chosen.before.timestamp()
    deleted = 0

    async def step(ids: Sequence[str]) -> None:
        nonlocal deleted
        # An id has one letter, in one of the two stores.
        for store in _STORES:
            deleted += await view.session.purge(ids, store, until)

    async def tell(is_whole: bool) -> str:
        await record(view.session, view.visitor.actor, "purge", chosen.target, deleted)
        return f"{'' if is_whole else 'Stopped. '}Deleted {counted(deleted, 'task')}."

    jobs = await jobs_of(view.source.core)
    return await jobs.run("Delete", "delete", partial(find_chosen, view, chosen), step, tell)


async def _ask_cancel(view: View, form: Form) -> Question:
    chosen, count = await _choose(view, form)
    return Question(
        title=f"Cancel {_tasks(count)}?",
        effect="What waits never runs. A worker is told of what runs, which is over when its body ends. Who waits for "
        "one gets TaskCancelled.",
        yes=f"Cancel {count}",
        no="Leave them",
        names=count.names,
        typed=str(count.total) if count.total >= _TYPED else "",
        is_grave=True,
        carried=chosen.to_fields(view.now),
    )


async def _cancel(view: View, form: Form) -> str:
    chosen = chosen_by(form)
    answers: Counter[bool] = Counter()

    async def step(ids: Sequence[str]) -> None:
        answers.update(await asyncio.gather(*(cancel(view.source.core, id) for id in ids)))

    async def tell(is_whole: bool) -> str:
        await record(view.session, view.visitor.actor, "cancel", chosen.target, answers[True])
        over = f" {answers[False]:,} had ended already." if answers[False] else ""
        return f"{'' if is_whole else 'Stopped. '}{counted(answers[True], 'task')} cancelled.{over}"

    jobs = await jobs_of(view.source.core)
    return await jobs.run("Cancel", "cancel", partial(find_chosen, view, chosen), step, tell)


async def _ask_revoke(view: View, form: Form) -> Question:
    id, name = _id_or_name(form)
    shown = plain(id or name, 200)
    return Question(
        title=f"Revoke {shown}?" if id else f"Revoke all tasks named {shown}?",
        effect="What is revoked ends without being run, until it is restored. What runs already goes on.",
        yes="Revoke",
        no="Not now",
        is_grave=True,
        carried=[("id", id) if id else ("name", name)],
    )


async def _revoke(view: View, form: Form) -> Done:
    id, name = _id_or_name(form)
    core = view.source.core
    (before,) = await view.session.peek("revocations", [instance_key(id) if id else class_key(name)])
    until, once = read_moment("until", form.get("until"), view.now), bool(form.get("once"))
    await (revoke(core, id, until, once) if id else revoke_all(core, name, until, once))
    await record(view.session, view.visitor.actor, "revoke", f"id {id}" if id else f"name {name}")
    # One that is written over is not what comes back: it may have had an end.
    undo = Undo("restore", [("id", id) if id else ("name", name)]) if before is None else None
    return Done(f"{plain(id or name, 200)} is revoked.", undo)


async def _ask_restore(view: View, form: Form) -> Question:
    id, name = _id_or_name(form)
    carried = [("id", id) if id else ("name", name)]
    return Question(f"Restore {plain(id or name, 200)}?", "Its tasks run again.", "Restore", carried=carried)


async def _restore(view: View, form: Form) -> Done:
    id, name = _id_or_name(form)
    key = instance_key(id) if id else class_key(name)
    (before,) = await view.session.peek("revocations", [key])
    was_there = await restore(view.source.core, key)
    await record(view.session, view.visitor.actor, "restore", f"id {id}" if id else f"name {name}")
    undo = _undo_restore(id, name, before) if was_there and before is not None else None
    return Done(f"{plain(id or name, 200)} is {'restored' if was_there else 'not revoked any more'}.", undo)


def _undo_restore(id: str, name: str, before: bytes) -> Undo | None:
    """Return what revokes again as it was, with its end and whether it was for once; None: it cannot be read."""
    try:
        revoked = Revocation.from_bytes(before)
        until = [] if revoked.until is None else [("until", datetime.fromtimestamp(revoked.until, UTC).isoformat())]
    except (ValueError, TypeError, RecursionError, OverflowError, OSError):
        return None
    return Undo("revoke", [("id", id) if id else ("name", name), *until, *([("once", "1")] if revoked.once else [])])


async def _choose(view: View, form: Form) -> tuple[Chosen, Count]:
    chosen = chosen_by(form)
    count = await count_chosen(view, chosen)
    if not count.total and count.is_complete:
        raise Refusal(404, "No task matches any more.")
    return chosen, count


def _tasks(count: Count) -> str:
    return f"{count} task{'' if count.total == 1 and count.is_complete else 's'}"


def _id_or_name(form: Form) -> tuple[str, str]:
    id, name = form.get("id"), form.get("name")
    if bool(id) == bool(name):
        raise Refusal(400, "Say an id or a name.")
    return id, name


VERBS: Final = (
    Verb(name="retry", permission="retry", ask=_ask_retry, do=_retry),
    Verb(name="delete", permission="delete", ask=_ask_delete, do=_delete),
    Verb(name="cancel", permission="cancel", ask=_ask_cancel, do=_cancel),
    Verb(name="revoke", permission="revoke", ask=_ask_revoke, do=_revoke),
    Verb(name="restore", permission="revoke", ask=_ask_restore, do=_restore),
)
