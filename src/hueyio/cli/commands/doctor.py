"""``hueyio doctor``."""

from __future__ import annotations

from typing import Final

from hueyio.cli.failures import EXIT_NOTHING
from hueyio.cli.options import command
from hueyio.cli.output import Output
from hueyio.cli.text import counted
from hueyio.cli.visit import Asked, Visit, visit
from hueyio.doctor.diagnosis import Finding, diagnose
from hueyio.doctor.examination import examine
from hueyio.exceptions import ConfigurationError, StorageError, StorageUnavailable

__all__ = ["doctor"]

_MARKS: Final = {"wrong": ("✗", "red"), "warning": ("!", "yellow")}


@command(["doctor -a app:huey", "doctor --url redis://cache:6379/0 --queue shop --json"])
def doctor(asked: Asked) -> int:
    """Say why nothing is consumed.

    It looks for a storage that is away, a queue of another kind or another name, workers that are not there, silent,
    full, of several versions or without the tasks that wait, a pause, revocations, dead letters, clocks that differ,
    and settings of a server that lose tasks. Ends with 1 if it found something.
    """
    try:
        return visit(asked, _examine)
    except ConfigurationError:
        raise
    except StorageUnavailable as error:
        finding = Finding("wrong", "away", str(error))
    except StorageError as error:
        finding = Finding("wrong", "kind", str(error))
    return _report(asked.output(), [finding], "")


async def _examine(at: Visit) -> int:
    facts = await examine(at.core, at.session, app=at.app)
    fine = f"Nothing is wrong: {counted(len(facts.workers), 'worker')}, {facts.waiting:,} ready."
    return _report(at.output, diagnose(facts), fine, queue=at.huey.name)


def _report(output: Output, findings: list[Finding], fine: str, **more: object) -> int:
    if output.as_json:
        output.print_object({**more, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark, colour = _MARKS[finding.level]
            output.line(f"{mark} {finding.text}", colour)
        if not findings:
            output.line(fine, "green")
    return EXIT_NOTHING if findings else 0
