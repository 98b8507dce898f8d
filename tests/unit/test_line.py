"""Messages between a pool and its processes: several in one go, in parts, big ones, and none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from hueyio.execution.pool.line import Begun, FromPool, Line, Recalled, Returned


@pytest.fixture
def ends() -> Iterator[tuple[Line, Line]]:
    ours, theirs = map(Line, socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_that_are_sent_together_are_received_one_by_one(ends: tuple[Line, Line]) -> None:
    ours, theirs = ends
    messages: list[FromPool] = [Returned(b"1"), Begun(), Recalled(3)]
    ours.send(*messages)
    assert [theirs.receive(0.0) for _ in range(4)] == [*messages, None]


def test_big_message_among_small_ones_is_received_whole(ends: tuple[Line, Line]) -> None:
    ours, theirs = ends
    big = Returned(b"x" * 3_000_000)
    sending = threading.Thread(target=ours.send, args=(Begun(), big, Begun()))
    sending.start()
    assert [theirs.receive(30.0) for _ in range(3)] == [Begun(), big, Begun()]
    sending.join()


def test_what_was_sent_before_the_cut_is_received(ends: tuple[Line, Line]) -> None:
    ours, theirs = ends
    ours.send(Returned(b"1"), Begun())
    ours.cut()
    assert [theirs.receive(), theirs.receive()] == [Returned(b"1"), Begun()]
    with pytest.raises(EOFError):
        theirs.receive()
