"""This session's copy of the state: brought up to date from the journal, changed together with it.

A step is applied to the copy and then written down, under the lock. If it cannot be written, the copy is thrown away:
the next use reads the journal anew.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from hueyio.exceptions import HueyException
from hueyio.named_tuple import NamedTuple
from hueyio.storage.file import heartbeat
from hueyio.storage.file.actions import JOURNALED, Unchanged
from hueyio.storage.file.encoding import decode, encode
from hueyio.storage.file.journal import Journal
from hueyio.storage.file.options import FileOptions
from hueyio.storage.file.snapshot import dump, load
from hueyio.storage.file.state import FileState
from hueyio.storage.records import FAILED_BYTES, Over
from hueyio.storage.shared.answers import Refused

__all__ = ["News", "Question", "Replica", "Step", "ask"]

Question: TypeAlias = Callable[[FileState], Any]

_MIB = 1 << 20
_MOST_UNSEEN = 1_000_000
"""Journals that may have followed each other unseen; one that is further on is another queue's."""
_UNSAID = (0, 0, 0.0, 0, 0.0, FAILED_BYTES)
"""The bounds in the records of earlier versions, which say less or nothing: what they do not name they did not keep."""

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """An operation by its name, with its arguments."""

    name: str
    args: tuple[Any, ...]


def ask(state: FileState, question: Question) -> Any:
    """Answer a question."""
    try:
        return question(state)
    except Exception as error:
        return Refused(error)


class News(NamedTuple):
    """What somebody waits for.

    Mail of this session, other clients that were told, whether to ring for work, and ids whose registrations of this
    session are gone, so that they must be asked for again.
    """

    mail: list[tuple[int, Over]]
    told: set[str]
    work: bool
    unregistered: list[str]


class Replica:
    """Belongs to one thread."""

    def __init__(self, options: FileOptions, client: str) -> None:
        self._options = options
        self._client = client
        self._journal = Journal(options.journal, options.mode)
        self._state: FileState | None = None
        self._own: dict[str, int] | None = None
        """What was registered in a copy that is gone, until it is compared with the next one."""
        self._unregistered: list[str] = []
        self._rings: dict[Any, int] = {}

    @property
    def state(self) -> FileState:
        """The copy, at this moment."""
        assert self._state is not None
        self._state.now = max(self._state.now, self._options.clock())
        self._state.tombstones.keep = self._options.keep_ended
        failed = self._state.failed
        failed.keep, failed.ttl = self._options.keep_failed, self._options.failed_ttl
        failed.most_bytes = self._options.failed_bytes
        past_runs = self._state.past_runs
        past_runs.keep, past_runs.ttl = self._options.keep_history, self._options.history_ttl
        return self._state

    def catch_up(self) -> bool:
        """Learn what others wrote; say whether there was anything. Raises FileNotFoundError if there is no journal."""
        if self._state is not None and self._journal.is_current():
            return False
        # In this order: a file that was replaced before it is read is read to its end.
        replaced = self._state is None or self._journal.is_replaced()
        changed = self._state is not None and self._replay(self._state)
        if replaced:
            self._reopen()
            changed = True
            self._replay(self.state)
        self._recover()
        return changed

    def prepare(self) -> None:
        """Catch up as one who will write: make what is missing, and mend what was cut short. Under the lock."""
        try:
            self.catch_up()
        except FileNotFoundError:
            self._begin()
        self._journal.mend()
        if self._journal.is_old:
            # It does not say how its tasks ended, and whoever writes to it would not understand what is written now.
            self.state.tombstones.load([], self.state.now)
            self._journal.replace(encode(dump(self.state)))

    def make_room(self) -> None:
        """Write the journal anew if that makes it smaller. Under the lock."""
        self.prepare()
        snapshot = encode(dump(self.state))
        if len(snapshot) < self._journal.snapshot_size + self._journal.size:
            self._journal.replace(snapshot)

    def _begin(self) -> None:
        """Make a journal where there is none; there may have been one."""
        if self._journal.generation:
            log.warning("%s was deleted: going on with an empty queue", self._journal.path)
        nothing = dump(FileState(self._client))
        self._journal.replace(encode(nothing), goes_on=False)
        self._reopen_from(nothing)
        self._recover()

    def write(self, steps: Sequence[Step | Question]) -> list[Any]:
        """Take steps, write them down, and return their answers, with questions in between. Under the lock."""
        state = self.state
        state.dead_limit = self._options.dead_limit
        before = set(state.leases)
        written: list[bytes] = []
        answers = [self._take(state, step, written) if isinstance(step, Step) else ask(state, step) for step in steps]
        if written:
            try:
                self._keep_beats(before, set(state.leases))
                self._journal.append(encode(_to_record(state, written)))
            except BaseException:
                self._drop()
                raise
            self._renew(state)
        return answers

    def sync(self) -> None:
        """Have on the disk what was written, and what answers were made of. Needs no lock.

        Others may read a record before that: theirs stand behind it in the same file, and are not on the disk before
        it is.
        """
        if self._options.fsync:
            self._journal.sync()

    def answer(self, questions: Sequence[Step | Question]) -> list[Any]:
        """Answer questions; needs no lock."""
        return [ask(self.state, question) for question in questions if not isinstance(question, Step)]

    def news(self) -> News:
        """Say what the steps since the last call have for those who wait."""
        state = self.state
        mail, state.waiters.mail = state.waiters.mail, []
        told = state.waiters.told
        work = state.settle_down() or state.bells.rings != self._rings
        unregistered, self._unregistered = self._unregistered, []
        self.hush()
        return News(mail, told, work, unregistered)

    def hush(self) -> None:
        """Ring for nothing that happened until now: whoever wrote it rings. This session's mail stays."""
        state = self.state
        state.waiters.told = set()
        state.settle_down()
        self._rings = dict(state.bells.rings)

    def close(self) -> None:
        """Forget everything."""
        self._drop()
        self._journal.close()

    def _take(self, state: FileState, step: Step, written: list[bytes]) -> Any:
        name, args = step
        if name == "reclaim":
            args = (*args, heartbeat.read(self._options, args[0]).number)
        try:
            data = encode((name, args))
        except Exception as error:
            return Refused(error)
        try:
            answer = JOURNALED[name](state, *args)
        except HueyException as error:  # decided before anything was changed
            return Refused(error)
        except Exception as error:
            written.append(data)  # what it did until then is what it will do in every other copy
            return Refused(error)
        if isinstance(answer, Unchanged):
            return answer.answer
        written.append(data)
        return answer

    def _keep_beats(self, before: set[str], after: set[str]) -> None:
        """Before the journal says so: a lease without its file ends by itself, a file without its lease never would."""
        for owner in after - before:
            heartbeat.begin(self._options, owner)
        for owner in before - after:
            heartbeat.end(self._options, owner)

    def _renew(self, state: FileState) -> None:
        """Begin a new file if the steps outgrow what they change."""
        most = max(self._options.journal_mb * _MIB, 2 * self._journal.snapshot_size)
        if self._journal.size > most:
            try:
                self._journal.replace(encode(dump(state)))
            except OSError as error:  # what was asked for is done
                log.warning("%s cannot be written anew, it goes on growing: %s", self._journal.path, error)

    def _replay(self, state: FileState) -> bool:
        records = self._journal.read()
        state.is_replaying = True
        try:
            for record in records:
                for step in _read_record(record, state):
                    _repeat(state, step)
        except BaseException:
            self._drop()
            raise
        state.is_replaying = False
        return bool(records)

    def _reopen(self) -> None:
        """Go on in the file at the path, whose snapshot is what this copy is, if it followed the one before."""
        known = self._journal.generation
        snapshot = self._journal.open()
        now = self._journal.generation
        if self._state is not None and now == known + 1:
            return
        if known and not known <= now <= known + _MOST_UNSEEN:
            log.warning("%s was exchanged: going on with what is there now", self._journal.path)
        self._reopen_from(decode(snapshot))

    def _reopen_from(self, dumped: dict[str, Any]) -> None:
        self._save_own()
        self._state = state = load(self._client, dumped)
        state.now = max(state.now, self._options.clock())

    def _recover(self) -> None:
        """Compare what this session had registered with the new copy, when that is up to date.

        What the steps until now told it is in the mail. What is missing without that was in a file that is gone, or
        nobody got its mail.
        """
        if self._own is None:
            return
        waiters = self.state.waiters
        told = {(over.id, number) for number, over in waiters.mail}
        for id, number in self._own.items():
            if waiters.number_of(self._client, id) == number:
                waiters.own[id] = number
            elif (id, number) not in told:
                self._unregistered.append(id)
        self._own = None

    def _drop(self) -> None:
        self._save_own()
        self._state = None

    def _save_own(self) -> None:
        if self._state is not None:
            waiters = self._state.waiters
            # Mail that nobody got yet may tell of what was not written.
            self._own = {**waiters.own, **{over.id: number for number, over in waiters.mail}}


def _to_record(state: FileState, steps: list[bytes]) -> tuple[Any, ...]:
    """Make a record of steps and of all that decides what they do."""
    failed, past_runs = state.failed, state.past_runs
    bounds = state.tombstones.keep, failed.keep, failed.ttl, past_runs.keep, past_runs.ttl, failed.most_bytes
    return state.now, state.dead_limit, steps, *bounds


def _read_record(record: bytes, state: FileState) -> list[bytes]:
    """Read a record, and bound the state as it says; return its steps."""
    steps: list[bytes]
    failed, past_runs = state.failed, state.past_runs
    state.now, state.dead_limit, steps, *bounds = decode(record)
    bounds += _UNSAID[len(bounds) :]
    state.tombstones.keep, failed.keep, failed.ttl, past_runs.keep, past_runs.ttl, failed.most_bytes = bounds
    return steps


def _repeat(state: FileState, step: bytes) -> None:
    name, args = decode(step)
    operation = JOURNALED[name]
    with contextlib.suppress(Exception):  # as it did where it was taken first
        operation(state, *args)
