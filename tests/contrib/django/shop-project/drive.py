"""Use the project as its users do, with a worker under ``manage.py``; print what came of it as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_shop.settings")
django.setup()

from django.core.management import CommandError, call_command  # noqa: E402
from django.test import Client  # noqa: E402

from hueyio.contrib.django import get_huey  # noqa: E402
from shop.framework_tasks import double  # noqa: E402
from shop.models import Order  # noqa: E402
from shop.tasks import (  # noqa: E402
    is_fresh_async,
    is_fresh_in_process,
    is_fresh_in_thread,
    mail,
    pay_async,
    pay_in_process,
)

TIME = 60.0

LOOKS: list[Any] = [is_fresh_in_thread, is_fresh_in_process, is_fresh_async]
"""Tasks that tell whether the one before them left a connection."""


def main() -> None:
    """Enqueue in every way, run a worker until all is done, and look at the queue by the commands."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    told: dict[str, Any] = {"before": run("hueyio", "ls", "ready")}
    paying = Client().get("/order/ada/").content.decode()
    order = Order.objects.get()
    in_process, mailed = pay_in_process.sync(order.pk), mail.sync("ada")
    called = [double.enqueue(1), double.using(queue_name="mails").enqueue(2), double.using(backend="again").enqueue(3)]
    told["ready"] = json.loads(run("hueyio", "ls", "ready", "--json"))["tasks"]
    worker = start_worker()
    try:
        told["thread"] = get_huey().sync.result_of(paying).get(blocking=True, timeout=TIME)
        told["process"] = in_process.get(blocking=True, timeout=TIME)
        told["fresh"] = [it.sync().get(blocking=True, timeout=TIME) for it in LOOKS for _ in range(2)]
        told["mail"] = mailed.get(blocking=True, timeout=TIME)
        told["framework"] = [values_of(it) for it in called]
        told["coroutine"] = asyncio.run(pay_on_loop(order.pk))
    finally:
        worker.send_signal(signal.SIGTERM)
        told["log"] = worker.communicate(timeout=TIME)[1]
    told["exit code"] = worker.returncode
    order.refresh_from_db()
    told["is paid"] = order.is_paid
    told["pauses"] = [run("hueyio", "pause"), run("hueyio", "ls", "ready"), run("hueyio", "resume", "--queue", "mails")]
    told["wrong queue"] = run("hueyio", "ls", "ready", "--queue", "nails")
    print(json.dumps(told))


async def pay_on_loop(number: int) -> Any:
    """Enqueue and wait as an async view does."""
    value = await (await pay_async(number)).get(blocking=True, timeout=TIME)
    await get_huey().close()
    return value


def values_of(result: Any) -> list[Any]:
    """Wait for the end of a call of Django's framework; return what is known of it in another thread."""
    for alias in ("default", "mails"):
        end = get_huey(alias).sync.result_of(result.id)
        if end.status() != "unknown":
            end.get(blocking=True, timeout=TIME, preserve=True)
    with ThreadPoolExecutor(1) as threads:
        known = threads.submit(result.task.get_result, result.id).result()
    return [known.return_value, known.args, known.task.queue_name, known.task.backend, known.attempts, known.errors]


def start_worker() -> subprocess.Popen[str]:
    """Start a worker as an operator does, from another folder."""
    manage = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manage.py")
    line = [
        sys.executable,
        manage,
        "hueyio_worker",
        "--queue",
        "default",
        "--queue",
        "mails",
        "-w",
        "4",
        "--threads",
        "1",
        "--pool",
        "1",
        "--loop",
        "asyncio",
    ]
    return subprocess.Popen(line, cwd="/", stderr=subprocess.PIPE, text=True)


def run(*line: str) -> str:
    """Return what a command prints, or why it fails."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            call_command(line[0], line[1:])
    except (CommandError, Exception) as error:  # for whoever reads it
        return f"{type(error).__name__}: {error}"
    return printed.getvalue()


main()
