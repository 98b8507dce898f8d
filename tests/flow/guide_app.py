# pyright: strict
"""Tasks in the shapes of Huey's README and guide, on ``hueyio.blocking``; ``test_guide`` runs them in a worker.

Nothing is written in another way than for Huey but the import, and the types that are there for mypy and pyright.
"""

import os

from hueyio.blocking import CancelExecution, RetryTask, SqliteHuey, Task, crontab, signals

huey = SqliteHuey("guide", filename=os.environ["GUIDE_DB"])


@huey.task()
def add_numbers(a: int, b: int) -> int:
    return a + b


@huey.task(retries=2, retry_delay=0)
def flaky(url: str) -> str:
    if huey.put_if_empty(f"seen {url}", True):
        raise ConnectionError(url)
    return url.upper()


@huey.task()
def again(url: str) -> str:
    if huey.put_if_empty(f"seen {url}", True):
        raise RetryTask(delay=0)
    return "second time"


@huey.task(context=True)
def who_am_i(task: Task) -> str:
    return task.name


@huey.task()
def total(values: list[int]) -> int:
    return sum(values)


@huey.task()
def fails() -> None:
    raise ValueError("broken")


@huey.task()
@huey.lock_task("reports")
def report() -> str:
    return f"locked: {huey.is_locked('reports')}"


@huey.task()
@huey.rate_limit("mail", 10, per=60)
def mail(to: str) -> str:
    return f"to {to}"


class Connection:
    def __enter__(self) -> str:
        return "connection"

    def __exit__(self, *details: object) -> None: ...


@huey.context_task(Connection(), as_argument=True)
def query(db: str, table: str) -> str:
    return f"{db}: {table}"


@huey.task()
def enqueues_more(n: int) -> int:
    """A body enqueues and waits, as in any program."""
    return int(add_numbers(n, n).get(blocking=True) or 0)


@huey.task()
async def fetch(n: int) -> int:
    """A coroutine function is a task too; in it, ``aio`` is the way to enqueue."""
    return await (await add_numbers.aio(n, 1))


@huey.periodic_task(crontab(minute="0", hour="3"))
def nightly_backup() -> None:
    huey.put("backup", "done")


@huey.on_startup()
def open_connection() -> None:
    huey.put("started", "yes")


@huey.pre_execute()
def check(task: Task) -> None:
    if task.name == "mail" and task.args == ("nobody",):
        raise CancelExecution()


@huey.post_execute()
def note(task: Task, task_value: object, exc: BaseException | None) -> None:
    huey.put(f"after {task.name}", repr(exc or task_value))


@huey.signal(signals.SIGNAL_ERROR)
def on_error(signal: str, task: Task, exc: BaseException) -> None:
    huey.put("last error", f"{signal}: {exc}")
