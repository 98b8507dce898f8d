"""What has gone through a storage equals what has not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from hueyio import SKIPPED, Error, MemoryHuey, Progress, chord, crontab, group


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_what_was_copied_or_stored_equals_what_was_not(copied: Callable[[Any], Any]) -> None:
    add = MemoryHuey().task(name="add")(lambda a, b: a + b)
    error = Error({"error": "no", "retries": 0, "traceback": "", "task_id": "a"}, "failed", ValueError("no"))
    whole = [add.s(1, 2), group([add.s(1, 2)]), chord([add.s(1, 2)], add.s(3, 4))]
    for it in (*whole, Progress(0.5), SKIPPED, crontab(minute="*/5"), error):
        other = copied(it)
        assert other == it
        assert (other != it) is False
    assert {copied(it) for it in whole} == set(whole)
    other_error = error._replace(metadata={**error.metadata, "task_id": "b"})
    for one, another in ((error, other_error), (whole[1], group([])), (whole[2], chord([], add.s(3, 4)))):
        assert one != another
        assert one != 1
