"""Queues that an earlier hueyio filled, drained by a consumer of this one.

Each queue is drained once; the tests look at what was seen before, while and after. How it was filled: ``fill.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from hueyio import (
    SKIPPED,
    BaseStorage,
    DeadTask,
    Error,
    Huey,
    RateLimit,
    RateLimitExceeded,
    ScheduleInfo,
    SerializationError,
    TaskCancelled,
    TaskException,
    TaskExpired,
    TaskInfo,
    TaskRevoked,
    TaskTimeout,
    WorkerLost,
    crontab,
)
from hueyio.tasks.states import LIVE_STATES
from tests.conftest import SERVER_KINDS, ServerOf
from tests.support.patience import until
from tests.upgrade.app import DAYS, FUTURE, QUEUES, App, make_objects
from tests.upgrade.fill import describe, values_of
from tests.upgrade.stored import EXPECTED, copy_folder, copy_sqlite, restore_redis

ON_FILES: Final = [name for name in QUEUES if not name.startswith("redis") and not name.endswith("signed")]
"""Those that are drained: what was signed before signatures said what for is refused."""
OTHER_SERVER: Final = pytest.mark.again("the servers hold the same keys")
ON_SERVERS: Final = [
    pytest.param(f"{name} {kind}", marks=[] if kind == SERVER_KINDS[0] else [OTHER_SERVER])
    for kind in SERVER_KINDS
    for name in QUEUES
    if name.startswith("redis")
]

KEPT: Final = [
    *("value", "none", "failed", "slow", "was-revoked", "was-expired", "was-cancelled", "was-put", "lost", "begun"),
    *("open-returned", "open-failed", "open-skipped"),
]
"""Tasks that were over before, with their results."""

KEPT_PICKLED: Final = ["returned", "failing", "skipped", "values"]

DRAINED: Final = [
    *("plain", "threaded", "retried", "handled", "due", "only-now", "suspect", "held", "held-cancelled", "once"),
    *("expired", "expired-soon", "expires-late", "deadline-over", "deadline-late"),
    *("group-0", "group-1", "pipe-1", "pipe-2", "pipe-3", "member-1", "member-2", "member-failed"),
    *("inner-1", "inner", "outer", "open-flaky", "open", "open-next", "begun-rest"),
    *("revoked", "revoked-once", "revoked-until", "revoked-briefly", "pooled", "banned"),
    *("banned-once-0", "banned-once-1", "failed:e0", "lost:e0", "handled:e0"),
]
"""Tasks that end when the queue is drained."""

STATUS_BEFORE: Final = {
    "plain": "ready",
    "suspect": "ready",
    "due": "scheduled",
    "future": "scheduled",
    "held": "running",
    "open-flaky": "retrying",
    "open": "waiting",
    "pipe-3": "waiting",
    "inner": "waiting",
    "lost": "lost",
    "value": "done",
    "failed": "failed",
    "was-revoked": "cancelled",
    "was-expired": "expired",
    "was-cancelled": "cancelled",
}


@dataclass(frozen=True, kw_only=True)
class Drained:
    """One queue, as it was found and as it was left."""

    name: str
    expected: Mapping[str, Any]
    found: Mapping[str, Any]
    dead_before: Mapping[str, DeadTask]
    schedules: Mapping[str, ScheduleInfo]
    status_before: Mapping[str, str]
    inspected: Mapping[str, str]
    """The state of each task, as it is told of one alone."""
    listed: Mapping[str, TaskInfo]
    locked_before: Mapping[str, bool]
    places_before: int
    values: Mapping[str, Any]
    objects: list[Any] | None
    counter: int
    revoked_before: Mapping[str, bool]
    no_room: Mapping[str, bool]
    unique_holder: str
    results: Mapping[str, Any]
    """What each task returned, or the exception that its result raised."""
    requeued: Any
    ran: Counter[str]
    left: Mapping[str, Any]
    dead_after: Mapping[str, DeadTask]
    locked_after: Mapping[str, bool]
    unique_again: str
    last_run: datetime | None

    @property
    def pickles(self) -> bool:
        """Whether its serializer carries exceptions and objects."""
        return not self.name.endswith("json")

    def as_handled(self, text: str) -> str:
        """Describe a ValueError as an error handler gets it."""
        return f"ValueError {text}" if self.pickles else f"TaskException ValueError('{text}')"

    def as_read(self, values: tuple[Any, ...]) -> Any:
        """Return a tuple as its serializer gives it back."""
        return values if self.pickles else list(values)


@pytest.fixture(scope="module", params=[*ON_FILES, *ON_SERVERS])
def drained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server_of: ServerOf) -> Drained:
    """Drain a copy of a queue."""
    name, _, kind = request.param.partition(" ")
    storage, _, queue = name.partition("-")
    match storage:
        case "sqlite":
            at = copy_sqlite(tmp_path_factory.mktemp("upgrade"))
        case "file":
            at = copy_folder(tmp_path_factory.mktemp("upgrade"))
        case _:
            at = server_of(kind).url
            restore_redis(at, queue)
    return asyncio.run(drain(name, at))


async def drain(name: str, at: str) -> Drained:
    """Look at a queue, drain it, and look again."""
    async with asyncio.timeout(100), QUEUES[name](at) as huey:
        app = App(huey)
        return Drained(
            name=name,
            expected=json.loads(EXPECTED.read_text())[name],
            found=await describe(app),
            **await look_before(app),
            **await run(app, name),
            **await look_after(app),
        )


async def look_before(app: App) -> dict[str, Any]:
    """See what can be seen while no consumer runs."""
    huey = app.huey
    base = BaseStorage(huey.storage)
    counter = await base.incr("counter", 1)
    await base.close()
    return {
        "dead_before": by_id(await huey.dead()),
        "schedules": {it.name: it for it in await huey.schedules().list()},
        "status_before": {id: await huey.result_of(id).status() for id in [*KEPT, *DRAINED, "future"]},
        "inspected": {id: (await huey.inspect(id)).state for id in [*KEPT, *DRAINED, "future"]},
        "listed": await list_all(huey),
        "locked_before": await are_locked(huey),
        "places_before": await app.places.current_usage(),
        "values": {key: await huey.get(key, peek=True) for key in ("values", "kept", "gone")},
        "objects": await huey.get("objects", peek=True),
        "counter": counter,
        "revoked_before": {
            "banned": await app.banned.is_revoked(),
            "revoked": await huey.is_revoked("revoked"),
            "revoked-until": await huey.is_revoked("revoked-until"),
            "revoked-briefly": await huey.is_revoked("revoked-briefly"),
            "plain": await huey.is_revoked("plain"),
        },
        "no_room": {limit.name: await has_no_room(limit) for limit in (app.window, app.bucket)},
        "unique_holder": (await app.only(1, "held")).id,
    }


async def list_all(huey: Huey) -> dict[str, TaskInfo]:
    """List what is to run, page by page: on a slow machine they are cut."""
    page = await huey.tasks(LIVE_STATES)
    found = {it.id: it for it in page.tasks}
    while not page.complete:
        page = await huey.tasks(LIVE_STATES, after=page.next)
        found.update((it.id, it) for it in page.tasks)
    return found


async def run(app: App, name: str) -> dict[str, Any]:
    """Let a consumer drain the queue, and requeue a dead letter."""
    huey = app.huey
    async with huey.create_consumer(lease=1.0):
        ids = [*KEPT, *([] if name.endswith("json") else KEPT_PICKLED), *DRAINED]
        results = dict(zip(ids, await asyncio.gather(*(outcome(huey, id) for id in ids)), strict=True))
        await app.ticked.wait()
        await huey.schedules().pause("minutely")
        await huey.requeue(["lost"])
        requeued = await huey.result_of("lost")
        await until(lambda: is_idle(huey))
    return {"results": results, "requeued": requeued, "ran": app.ran}


async def look_after(app: App) -> dict[str, Any]:
    """See what is left."""
    huey = app.huey
    return {
        "left": await describe(app),
        "dead_after": by_id(await huey.dead()),
        "locked_after": await are_locked(huey),
        "unique_again": (await app.only(2)).id,
        "last_run": next(it.last_run for it in await huey.schedules().list() if it.name == "minutely"),
    }


async def outcome(huey: Huey, id: str) -> Any:
    """Return what a task returned or raised, and leave it where it is."""
    try:
        return await huey.result_of(id).get(blocking=True, timeout=60, preserve=True)
    except TaskException as error:
        return error


async def has_no_room(limit: RateLimit) -> bool:
    """Ask for room."""
    try:
        return not await limit.acquire()
    except RateLimitExceeded as error:
        return error.delay > DAYS


async def are_locked(huey: Huey) -> dict[str, bool]:
    return {name: await huey.is_locked(name) for name in ("of held", "of cancelled", "shell")}


async def is_idle(huey: Huey) -> bool:
    counts = await huey.counts()
    return not any(counts.queued.values()) and counts.running == 0


def by_id(dead: list[DeadTask]) -> dict[str, DeadTask]:
    return {it.id if it.task else "unreadable": it for it in dead}


# --- before it is drained


def test_queue_is_counted_and_listed_when_an_earlier_version_filled_it(drained: Drained) -> None:
    found = json.loads(json.dumps(drained.found))
    assert found["counts"].pop("failed") == 0  # it kept none
    assert found == drained.expected


def test_places_of_tasks_are_known_when_an_earlier_version_put_them_there(drained: Drained) -> None:
    assert {id: drained.status_before[id] for id in STATUS_BEFORE} == STATUS_BEFORE


def test_states_are_the_same_when_tasks_of_an_earlier_version_are_inspected(drained: Drained) -> None:
    assert drained.inspected == drained.status_before


def test_tasks_are_listed_with_their_names_when_an_earlier_version_enqueued_them(drained: Drained) -> None:
    wanted = {"plain": "ready", "suspect": "ready", "future": "scheduled", "held": "running", "pipe-3": "waiting"}
    assert {id: drained.listed[id].state for id in wanted} == wanted
    assert drained.listed["open-flaky"].state == "scheduled"  # which attempt it is stands only in its message
    nameless = {it.id for it in drained.listed.values() if it.name is None and it.state != "waiting"}
    assert nameless & {*DRAINED, "future"} == set()
    callback = drained.listed["outer"]
    assert (callback.state, callback.name, callback.waits_for) == ("waiting", drained.listed["open"].name, ("outer",))


def test_stored_values_are_read_when_an_earlier_version_wrote_them(drained: Drained) -> None:
    wanted = drained.as_read(values_of(drained.name))
    assert drained.values == {"values": wanted, "kept": "kept", "gone": None}
    assert drained.counter == 4


def test_objects_of_hueyio_are_read_when_an_earlier_version_pickled_them(drained: Drained) -> None:
    if not drained.pickles:
        assert drained.objects is None
        return
    assert drained.objects is not None
    skipped, error, revoked, lost, limited, times, task = drained.objects
    wanted = make_objects()
    assert [type(it) for it in drained.objects] == [type(it) for it in wanted]
    assert skipped is SKIPPED
    assert (error.metadata, error.kind, repr(error.cause)) == (wanted[1].metadata, "failed", "ValueError('no')")
    assert (revoked.metadata, lost.metadata) == (wanted[2].metadata, wanted[3].metadata)
    assert (limited.key, limited.delay, limited.retry) == ("calls", 1.5, False)
    assert times == wanted[5]
    assert (task.path, task.args, task.kwargs, task.id, task.eta, task.retries) == (
        *("echo", (1, 2), {"k": 3}, "pickled"),
        *(FUTURE, 2),
    )


def test_results_are_read_when_an_earlier_version_stored_them(drained: Drained) -> None:
    results = drained.results
    assert results["value"] == [list(values_of(drained.name)), {}]
    assert (results["none"], results["was-put"], results["begun"]) == (None, "put", "begun")
    assert type(results["was-revoked"]) is TaskRevoked
    assert type(results["was-expired"]) is TaskExpired
    assert type(results["was-cancelled"]) is TaskCancelled
    assert type(results["lost"]) is WorkerLost


def test_error_has_its_description_when_an_earlier_version_stored_it(drained: Drained) -> None:
    error = drained.results["failed"]
    assert type(error) is TaskException
    assert error.metadata.keys() == {"error", "retries", "traceback", "task_id"}
    assert (error.metadata["error"], error.metadata["task_id"]) == ("ValueError('kept')", "failed")


def test_error_has_its_cause_when_an_earlier_version_stored_it(drained: Drained) -> None:
    failed, slow = drained.results["failed"].__cause__, drained.results["slow"].__cause__
    if drained.pickles:
        assert (type(failed), failed.args) == (ValueError, ("kept",))
        assert (type(slow), slow.args) == (TaskTimeout, ("too slow",))
    else:
        assert (failed, slow) == (None, None)


def test_values_of_a_chord_are_read_when_an_earlier_version_stored_them(drained: Drained) -> None:
    if not drained.pickles:
        return
    value, error, skipped = drained.results["values"]
    assert value == "a"
    assert isinstance(error, Error)
    assert (error.kind, error.metadata["error"]) == ("failed", "ValueError('chord')")
    assert skipped is SKIPPED


def test_dead_letters_are_listed_when_an_earlier_version_buried_them(drained: Drained) -> None:
    assert drained.dead_before.keys() == {"lost", "unreadable"}
    lost, unreadable = drained.dead_before["lost"], drained.dead_before["unreadable"]
    assert "died with it" in lost.reason
    assert lost.task is not None
    assert (lost.task.path, lost.task.args) == ("tests.upgrade.app.lost", ("lost",))
    assert (unreadable.task, unreadable.data) == (None, b"no message")


def test_schedules_are_listed_when_an_earlier_version_added_them(drained: Drained) -> None:
    assert list(drained.schedules) == ["minutely", "paused", "yearly"]
    minutely, paused, yearly = drained.schedules.values()
    assert (minutely.task, minutely.args, minutely.catch_up, minutely.paused) == (
        *("tests.upgrade.app.tick", ("minutely",)),
        *(True, False),
    )
    assert (paused.args, paused.paused, paused.next_run) == (("paused",), True, None)
    assert paused.times == crontab("*", second="*")
    assert (yearly.args, yearly.kwargs, yearly.times.tz) == ((), {"label": "yearly"}, "Europe/Paris")


def test_tick_is_known_when_an_earlier_version_noted_it(drained: Drained) -> None:
    last = drained.schedules["paused"].last_run
    assert last is not None
    assert datetime(2026, 1, 1, tzinfo=UTC) < last < datetime.now(UTC)


def test_revocations_are_in_force_when_an_earlier_version_wrote_them(drained: Drained) -> None:
    assert drained.revoked_before == {
        "banned": True,
        "revoked": True,
        "revoked-until": True,
        "revoked-briefly": False,
        "plain": False,
    }


def test_rate_limits_have_no_room_when_an_earlier_version_used_it_up(drained: Drained) -> None:
    assert drained.no_room == {"window": True, "bucket": True}


def test_lock_is_held_when_the_task_that_took_it_is_under_a_lease(drained: Drained) -> None:
    assert drained.locked_before == {"of held": True, "of cancelled": True, "shell": False}
    assert drained.places_before == 2


def test_unique_call_meets_its_holder_when_an_earlier_version_enqueued_that(drained: Drained) -> None:
    assert drained.unique_holder == "only-future"


# --- while it is drained


def test_call_gets_its_arguments_when_an_earlier_version_enqueued_it(drained: Drained) -> None:
    assert drained.results["plain"] == [list(values_of(drained.name)), {"key": "word"}]
    assert drained.results["threaded"] == 3
    assert drained.ran["threaded 1 2"] == 1


def test_task_is_retried_when_an_earlier_version_enqueued_it(drained: Drained) -> None:
    assert drained.results["retried"] == "retried"
    assert (drained.ran["flaky retried 0"], drained.ran["flaky retried 1"]) == (1, 1)


def test_retry_runs_when_an_earlier_version_scheduled_it(drained: Drained) -> None:
    assert drained.results["open-flaky"] == "open"
    assert (drained.ran["flaky open 0"], drained.ran["flaky open 1"]) == (0, 1)


def test_error_handler_runs_when_the_task_fails_now(drained: Drained) -> None:
    assert drained.ran[f"handle handled: {drained.as_handled('handled')}"] == 1


def test_error_handler_gets_the_error_when_the_task_failed_before(drained: Drained) -> None:
    assert drained.ran[f"handle kept: {drained.as_handled('kept')}"] == 1
    assert any(told.startswith("handle lost: TaskException WorkerLost(") for told in drained.ran)


def test_scheduled_call_runs_when_its_time_was_before(drained: Drained) -> None:
    assert drained.results["due"] == "due"


def test_task_in_flight_is_taken_over_when_the_lease_is_over(drained: Drained) -> None:
    assert drained.results["held"] == "held"
    assert drained.ran["holding held"] == 1
    assert drained.locked_after["of held"] is False


def test_task_in_flight_is_cancelled_when_an_earlier_version_asked_for_it(drained: Drained) -> None:
    assert type(drained.results["held-cancelled"]) is TaskCancelled
    assert drained.ran["holding cancelled"] == 0


def test_begun_task_never_runs_again_when_it_runs_at_most_once(drained: Drained) -> None:
    assert type(drained.results["once"]) is WorkerLost
    assert drained.ran["deadly once"] == 0
    assert "at_most_once" in drained.dead_after["once"].reason


def test_suspect_runs_when_it_has_one_delivery_left(drained: Drained) -> None:
    assert drained.results["suspect"] == "suspect"


def test_call_of_a_task_that_was_unknown_runs_when_it_is_known(drained: Drained) -> None:
    assert drained.results["begun-rest"] == ["rest", "begun"]


def test_call_ends_unrun_when_it_expired(drained: Drained) -> None:
    assert type(drained.results["expired"]) is TaskExpired
    assert type(drained.results["expired-soon"]) is TaskExpired
    assert drained.ran["join expired"] == 0
    assert drained.results["expires-late"] == "expires late"


def test_call_is_retried_when_its_deadline_allows_it(drained: Drained) -> None:
    assert type(drained.results["deadline-over"]) is TaskException
    assert drained.ran["flaky deadline over 1"] == 0
    assert drained.results["deadline-late"] == "deadline late"


def test_group_and_pipeline_finish_when_an_earlier_version_enqueued_them(drained: Drained) -> None:
    assert [drained.results[f"group-{n}"] for n in range(2)] == ["group-0", "group-1"]
    assert [drained.results[f"pipe-{n}"] for n in (1, 2, 3)] == ["a", "b-a", "c-b-a"]


def test_chord_finishes_when_an_earlier_version_enqueued_it(drained: Drained) -> None:
    assert drained.results["inner"] == ["'inner'"]
    assert drained.results["outer"] == ["'y-x'", repr(["'inner'"]), "Error ValueError('member')"]


def test_chord_finishes_when_members_reported_before(drained: Drained) -> None:
    reported = ["'a'", "Error ValueError('open')", "SKIPPED", "'open'"]
    assert drained.results["open"] == reported
    assert drained.results["open-next"] == [["next", reported], {}]
    assert (drained.ran["join a"], drained.ran["fail open"]) == (1, 0)


def test_revoked_call_is_not_run_when_an_earlier_version_revoked_it(drained: Drained) -> None:
    revoked = ["revoked", "revoked-once", "revoked-until", "pooled", "banned"]
    unwanted = ("join revoked once", "join revoked until", "banned all")
    assert [type(drained.results[id]) for id in revoked] == [TaskRevoked] * 5
    assert not [told for told in drained.ran if told == "join revoked" or told.startswith(unwanted)]


def test_call_runs_when_its_revocation_is_over(drained: Drained) -> None:
    assert drained.results["revoked-briefly"] == "revoked briefly"


def test_one_call_is_not_run_when_all_were_revoked_once(drained: Drained) -> None:
    kinds = {type(drained.results[f"banned-once-{n}"]) for n in range(2)}
    assert kinds == {str, TaskRevoked}
    assert drained.ran["banned one of two"] == 1


def test_schedule_makes_up_its_tick_when_no_consumer_ran(drained: Drained) -> None:
    assert drained.ran["tick minutely"] >= 1
    assert drained.ran["tick paused"] == 0
    assert drained.last_run is not None


# --- after it is drained


def test_dead_letter_runs_when_it_is_requeued(drained: Drained) -> None:
    assert drained.requeued == "lost"
    assert drained.ran["deadly lost"] == 1
    assert drained.dead_after.keys() == {"once", "unreadable"}


def test_unique_key_is_free_when_its_holder_has_run(drained: Drained) -> None:
    assert drained.results["only-now"] == 2
    assert drained.unique_again != "only-now"


def test_nothing_is_left_but_what_is_not_due_when_the_queue_is_drained(drained: Drained) -> None:
    assert drained.left["scheduled"] == ["future", "only-future"]
    counts = drained.left["counts"]
    assert (sum(counts["queued"].values()), counts["suspects"], counts["running"]) == (0, 0, 0)
    assert (counts["expected"], counts["latches"], counts["dead"]) == (0, 0, 2)


def test_results_stay_when_nobody_reads_them_away(drained: Drained) -> None:
    kept = [*KEPT, *(KEPT_PICKLED if drained.pickles else []), *DRAINED]
    assert not {*kept} - {*drained.left["results"]} - {"lost"}


# --- what is not read


async def test_what_was_signed_is_refused_in_words_when_an_earlier_version_signed_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with QUEUES["sqlite-signed"](copy_sqlite(tmp_path_factory.mktemp("upgrade"))) as huey:
        app = App(huey)
        async with huey.create_consumer(lease=1.0):
            for id in ("plain", "threaded", "due"):
                with pytest.raises(TaskException, match=r"signed by hueyio 0\.1"):
                    await huey.result_of(id).get(blocking=True, timeout=60)
            assert await (await app.join("new")) == "new"
        with pytest.raises(SerializationError, match=r"signed by hueyio 0\.1"):
            await huey.result_of("value")
        with pytest.raises(SerializationError, match=r"signed by hueyio 0\.1"):
            await huey.get("values", peek=True)
        letters = (await huey.failed(kind="unreadable")).items
    assert {"plain", "threaded", "due"} <= {it.id for it in letters}
    assert app.ran == {"join new": 1}
