# pyright: strict
"""A program in the shapes of Huey's README and guide, on ``hueyio.blocking``; it prints what ``test_guide`` expects."""

from hueyio.blocking import TaskException, chord, group
from tests.flow.guide_app import (
    add_numbers,
    again,
    enqueues_more,
    fails,
    fetch,
    flaky,
    huey,
    mail,
    nightly_backup,
    query,
    report,
    total,
    who_am_i,
)


def main() -> None:
    result = add_numbers(1, 2)
    print("value", result(blocking=True))
    print("value", add_numbers(2, 2).get(blocking=True, timeout=10))
    print("later", add_numbers.schedule((3, 4), delay=0.05).get(blocking=True))
    print("map", add_numbers.map([(1, 2), (3, 4)]).get(blocking=True))
    pipeline = add_numbers.s(1, 2).then(add_numbers, 3).then(add_numbers, 4)
    print("pipeline", huey.enqueue(pipeline).get(blocking=True))
    print("group", huey.enqueue(group([add_numbers.s(n, n) for n in range(3)])).get(blocking=True))
    print("chord", huey.enqueue(chord([add_numbers.s(n, n) for n in range(3)], total)).get(blocking=True))
    print("retried", flaky("http://localhost").get(blocking=True))
    print("asked to be retried", again("http://localhost").get(blocking=True))
    print("context", who_am_i().get(blocking=True))
    print("lock", report().get(blocking=True))
    print("context manager", query("rows").get(blocking=True))
    print("nested", enqueues_more(5).get(blocking=True), fetch(5).get(blocking=True))
    print("limit", mail("ada").get(blocking=True))
    show_failures()
    show_revocations()
    show_the_rest()


def show_failures() -> None:
    try:
        fails().get(blocking=True)
    except TaskException as error:
        print("failed", error.metadata["error"])
    print("signal", huey.get("last error"))
    try:
        mail("nobody").get(blocking=True)
    except TaskException as error:
        print("cancelled", type(error).__name__)


def show_revocations() -> None:
    later = add_numbers.schedule((1, 1), delay=3600)
    later.revoke()
    print("revoked", later.is_revoked(), later.restore(), later.is_revoked())
    print("moved", later.reschedule(delay=0.05).get(blocking=True))
    add_numbers.revoke()
    print("all revoked", add_numbers.is_revoked(), add_numbers.restore())


def show_the_rest() -> None:
    add_numbers.schedule((5, 5), delay=3600)
    print("scheduled", [task.args for task in huey.scheduled()][-1], len(huey))
    print("local", add_numbers.call_local(1, 2))
    huey.put("key", [1, 2])
    print("values", huey.get("key"), huey.get("key"), huey.get("started"))
    with huey.lock_task("by hand"):
        print("held", huey.is_locked("by hand"))
    nightly_backup.call_local()
    print("periodic", huey.get("backup"))


if __name__ == "__main__":
    main()
