"""Run the machine, as long as somebody wants to wait for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from hueyio.storage.contract import Storage
from hueyio.testing.storage.differential.machine import StorageMachine

__all__ = ["check_against_memory"]

_EXAMPLES: Final = "HUEYIO_TEST_EXAMPLES"
_STEPS: Final = "HUEYIO_TEST_STEPS"


def check_against_memory(build: Callable[[int], Storage], examples: int = 8, steps: int = 20) -> None:
    """Drive a storage and the memory storage through the same steps, and compare all that can be seen of them.

    ``build`` gets a number and returns the storage of an empty queue, another one for each number. ``examples``
    sequences of ``steps`` steps are tried, the same ones each time; the environment variables HUEYIO_TEST_EXAMPLES and
    HUEYIO_TEST_STEPS ask for others, and for more. The first difference is cut down to the shortest sequence that
    shows it. Runs a loop of its own, so call it from a plain function.
    """
    built = 0

    def make() -> StorageMachine:
        nonlocal built
        built += 1
        return StorageMachine(build(built), runner)

    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            cast("type[StorageMachine]", make),
            settings=settings(
                max_examples=int(os.environ.get(_EXAMPLES, examples)),
                derandomize=_EXAMPLES not in os.environ,
                stateful_step_count=int(os.environ.get(_STEPS, steps)),
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
                print_blob=False,
            ),
        )
