"""The heartbeat says why a lease was lost, whoever finds the loss first."""

from __future__ import annotations

import ctypes
import threading

import pytest

from hueyio.consumer.heartbeat import Heartbeat, HeartbeatOptions
from hueyio.consumer.outage import Outage
from hueyio.consumer.side_log import side_log
from hueyio.testing.conformance.worker import PATIENCE


class Keeper:
    """A storage whose lease is gone, and whose answer takes as long as it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer, self.closed = threading.Event(), threading.Event(), threading.Event()

    def beat(self) -> bool:
        self.asked.set()
        assert self.may_answer.wait(PATIENCE)
        return False

    def close(self) -> None:
        self.closed.set()


def make_heartbeat(keeper: Keeper, lease: float) -> Heartbeat:
    options = HeartbeatOptions(lease=lease, running=lambda: ["holds-the-lock"])
    return Heartbeat(keeper, options, lambda: None, Outage())


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    side_log.flush(PATIENCE)
    return [it for it in caplog.messages if "no heartbeat was sent" in it]


@pytest.mark.parametrize("found_by", ["heartbeat", "other part"])
def test_loss_that_comes_of_silence_is_explained_once(caplog: pytest.LogCaptureFixture, found_by: str) -> None:
    keeper = Keeper()
    heartbeat = make_heartbeat(keeper, 0.003)
    heartbeat.start()
    assert keeper.asked.wait(PATIENCE)
    keeper.closed.wait(0.01)  # a silence of more than two beats
    if found_by == "other part":
        heartbeat.stop_lost()
    keeper.may_answer.set()
    assert keeper.closed.wait(PATIENCE)
    heartbeat.stop_lost()
    (line,) = lines(caplog)
    assert "holds-the-lock" in line


def test_loss_that_is_found_before_the_heartbeat_could_run_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper()
    keeper.may_answer.set()
    heartbeat = make_heartbeat(keeper, 0.3)
    heartbeat.start()
    ctypes.PyDLL(None).usleep(400_000)
    heartbeat.stop_lost()
    assert keeper.closed.wait(PATIENCE)
    (line,) = lines(caplog)
    assert "holds-the-lock" in line


def test_end_without_a_loss_explains_nothing(caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper()
    heartbeat = make_heartbeat(keeper, 0.003)
    heartbeat.start()
    assert keeper.asked.wait(PATIENCE)
    keeper.closed.wait(0.01)
    heartbeat.stop()
    keeper.may_answer.set()
    assert keeper.closed.wait(PATIENCE)
    assert lines(caplog) == []
