"""The heartbeat says why a lease was lost, whoever finds the loss first."""

from __future__ import annotations

import ctypes
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import cycle
from queue import Empty, Queue
from threading import Thread

import pytest

from hueyio.consumer.heartbeat import Heartbeat, HeartbeatOptions
from hueyio.consumer.outage import Outage
from hueyio.consumer.side_log import side_log
from hueyio.storage.beat_recipe import BeatRecipe, RedisBeat
from hueyio.testing.storage.conformance.worker import PATIENCE


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


class Elsewhere(Keeper):
    """A keeper whose beats another process sends, to one place after the other."""

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__()
        self._ports = cycle(ports)

    def to_recipe(self) -> BeatRecipe | None:
        return RedisBeat("127.0.0.1", next(self._ports), "", (), "", 0, PATIENCE, "return 1", (), "")

    def has_moved(self) -> bool:
        return False


def make_heartbeat(keeper: Keeper, lease: float, apart: bool = False) -> Heartbeat:
    options = HeartbeatOptions(lease=lease, apart=apart, running=lambda: ["holds-the-lock"])
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


@pytest.mark.parametrize("places", [1, 2])
def test_beat_that_fails_is_tried_again_when_it_is_due(places: int) -> None:
    """Otherwise a worker is busy with nothing else for as long as its server is away."""
    tries: Queue[int] = Queue()
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(places)]
        for listener in listeners:
            Thread(target=hang_up_on_all, args=(listener, tries), daemon=True).start()
        keeper = Elsewhere([it.getsockname()[1] for it in listeners])
        heartbeat = make_heartbeat(keeper, 3600, apart=True)
        heartbeat.start()
        tries.get(timeout=PATIENCE)
        with pytest.raises(Empty):
            tries.get(timeout=0.5)
        heartbeat.stop()
        assert keeper.closed.wait(PATIENCE)
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)


def hang_up_on_all(listener: socket.socket, tries: Queue[int]) -> None:
    """Be a server that is not ready."""
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.close()
            tries.put(1)
