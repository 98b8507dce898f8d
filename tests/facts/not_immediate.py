"""The facts that cannot hold in immediate mode, and why.

By module and test; with ``[immediate]`` those that only hold where the live storage is in use, where another process
may run what waits. Each must fail there: one that does not is no exception any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["NOT_IMMEDIATE"]

_CONSUMER: Final = "it is about a consumer, and there is none"
_SIDE_BY_SIDE: Final = "its tasks go on when the call has returned, and here the call returns when they have ended"
_QUEUE: Final = "it looks at what waits in the queue, and nothing waits there"
_WAIT: Final = "it waits for what nothing here will ever run, which raises at once"

NOT_IMMEDIATE: Final[Mapping[str, str]] = {
    "test_calls::test_priority_is_kept_through_schedule_retry_and_reschedule": _QUEUE,
    "test_consuming::test_idle_consumer_starts_what_comes_at_once": _CONSUMER,
    "test_consuming::test_idle_consumer_stops_at_once": _CONSUMER,
    "test_consuming::test_interrupted_task_that_finishes_stores_its_result": _CONSUMER,
    "test_handles::test_as_completed_raises_for_a_member_that_failed_and_ends": _SIDE_BY_SIDE,
    "test_handles::test_as_completed_yields_values_as_they_come": _SIDE_BY_SIDE,
    "test_options::test_flush_tells_whoever_waits[immediate]": _WAIT,
    "test_reading::test_wait_that_runs_out_raises_and_the_task_can_still_be_run_and_read[immediate]": _WAIT,
}
