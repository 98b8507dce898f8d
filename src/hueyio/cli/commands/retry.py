"""``hueyio retry``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import click

from hueyio.cli.bulk import in_steps
from hueyio.cli.failures import EXIT_INTERRUPTED, EXIT_NOTHING, NothingFound
from hueyio.cli.letters import Letter, LetterFilter, find_parts, kinds_of, letters_of, say_what
from hueyio.cli.options import AS, DRY_RUN, NAME, SINCE, UNTIL, YES, command, ids_from
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.control.audit import name_some
from hueyio.control.failed_tasks import requeue_some
from hueyio.control.retry_answer import REFUSALS, tell_requeued
from hueyio.storage.records import RUNS_AGAIN, Requeued

__all__ = ["retry"]


@command(
    ["retry 0c1d2f7be813 -a app:huey", "retry --failed --name 'shop.mail.*' --since 2h --file app.db"],
    click.argument("ids", nargs=-1, metavar="[ID]..."),
    click.option("--failed", is_flag=True, help="all that failed"),
    click.option("--expired", is_flag=True, help="all that expired"),
    click.option("--cancelled", is_flag=True, help="all that were cancelled"),
    click.option("--dead", is_flag=True, help="all dead letters"),
    NAME,
    click.option("--error", metavar="TEXT", help="only those whose error has this text"),
    SINCE,
    UNTIL,
    DRY_RUN,
    YES,
    AS,
)
def retry(
    asked: Asked,
    ids: Sequence[str],
    failed: bool,
    expired: bool,
    cancelled: bool,
    dead: bool,
    name: str | None,
    error: str | None,
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    dry_run: bool,
) -> int:
    """Run failed tasks and dead letters again, with all their retries.

    Either by their ids (`-` reads ids from standard input), or all of a kind that fit a filter, as they are at the
    moment of the question: what fails meanwhile is left alone. They are ready at once, under their ids, so that
    whoever waits for one waits for its new run. Ends with 1 if a part was refused: it was gone, is alive already, or
    another task has its unique key.
    """
    words = {"failed": failed, "expired": expired, "cancelled": cancelled, "dead": dead}
    chosen = [word for word, is_chosen in words.items() if is_chosen]
    which = LetterFilter(kinds=kinds_of(chosen), name=name, error=error, since=since, until=until)
    if bool(ids) == bool(chosen):
        raise click.UsageError("name tasks by their ids, or say --failed, --expired, --cancelled or --dead")
    if ids and which != LetterFilter(kinds=()):
        raise click.UsageError("--name, --error, --since and --until go with --failed and the like, not with ids")
    if ids:
        return visit(asked, lambda at: _retry_ids(at, ids_from(ids), dry_run))
    return visit(asked, lambda at: _retry_all(at, which, " or ".join(chosen), dry_run))


async def _retry_all(at: Visit, which: LetterFilter, noun: str, dry_run: bool) -> int:
    letters = await letters_of(at, which)
    if not letters:
        raise NothingFound(f"there is no {noun} task to retry in {at.where}")
    say_what(at, letters)
    if not dry_run:
        at.confirm(f"Retry {counted(len(letters), f'{noun} task')}? They are ready at once.")
    return await _retry(at, letters, which.describe(at.output.now), dry_run, {})


async def _retry_ids(at: Visit, words: Sequence[str], dry_run: bool) -> int:
    ids, missing = await find_parts(at.session, words)
    for reason in missing.values():
        at.output.say(reason)
    return await _retry(at, [Letter(id) for id in ids], name_some(ids), dry_run, missing)


async def _retry(at: Visit, letters: Sequence[Letter], target: str, dry_run: bool, missing: Mapping[str, str]) -> int:
    if dry_run:
        text = f"{counted(len(letters), 'task')} would be retried."
        at.output.done(text, queue=at.huey.name, would=[it.id for it in letters], unknown=list(missing))
        return EXIT_NOTHING if missing else 0
    answers: dict[str, Requeued] = {}

    async def requeue(some: Sequence[Letter]) -> None:
        answers.update(await requeue_some(at.core, at.session, {it.id: it.buried_at for it in some}))

    is_whole = await in_steps(at, "Retrying", letters, requeue)
    by_answer = {word: [id for id, answer in answers.items() if answer == word] for word in (*RUNS_AGAIN, *REFUSALS)}
    ready = sum(len(by_answer[word]) for word in RUNS_AGAIN)
    if letters:
        await at.note("retry", target, ready)
    interrupted = "" if is_whole else f"Interrupted after {len(answers):,} of {len(letters):,}. "
    text = f"{interrupted}{tell_requeued(Counter(answers.values()))}{f' {len(missing)} not known.' if missing else ''}"
    at.output.done(text, queue=at.huey.name, **by_answer, unknown=list(missing), complete=is_whole)
    if not is_whole:
        return EXIT_INTERRUPTED
    return EXIT_NOTHING if missing or ready < len(letters) else 0
