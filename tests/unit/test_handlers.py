"""Signals of a worker, while the application sets handlers of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest
import uvloop

from hueyio.worker.handlers import handling


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_signal_is_taken_back_from_a_handler_of_the_loop(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def take_back_and_hear() -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        with handling({signal.SIGUSR1: heard.set}) as take_back:
            for _ in range(2):
                heard.clear()
                loop.add_signal_handler(signal.SIGUSR1, pytest.fail, "the application was told")
                assert take_back() == [signal.SIGUSR1]
                assert take_back() == []
                signal.raise_signal(signal.SIGUSR1)
                await heard.wait()
            assert not loop.remove_signal_handler(signal.SIGUSR1)
        assert signal.SIGUSR1 not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    usual = signal.getsignal(signal.SIGUSR1)
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(take_back_and_hear())
    finally:
        signal.signal(signal.SIGUSR1, usual)
