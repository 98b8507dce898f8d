"""Whoever must act hands over what it has to say, and waits for no handler."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from hueyio.consumer.side_log import SideLog

PATIENCE = 30.0

logger = logging.getLogger("tests.side_log")


class Slow(logging.Handler):
    """Keeps each line until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.reached.set()
        assert self.go_on.wait(PATIENCE)
        self.lines.append(record.getMessage())


@pytest.fixture
def slow() -> Iterator[Slow]:
    handler = Slow()
    logger.addHandler(handler)
    yield handler
    handler.go_on.set()
    logger.removeHandler(handler)


def test_nobody_waits_for_a_handler_that_hangs(slow: Slow) -> None:
    log = SideLog()
    log.say(logger, logging.WARNING, "one")
    assert slow.reached.wait(PATIENCE)
    log.say(logger, logging.WARNING, "two %d", 2)  # the handler's lock is held now
    assert not log.flush(0)
    slow.go_on.set()
    assert log.flush(PATIENCE)
    assert slow.lines == ["one", "two 2"]


def test_lines_after_a_silence_are_written_too(slow: Slow) -> None:
    slow.go_on.set()
    log = SideLog()
    for text in ("one", "two"):
        log.say(logger, logging.WARNING, text)
        assert log.flush(PATIENCE)
    assert slow.lines == ["one", "two"]


def test_oldest_lines_go_while_a_handler_hangs(slow: Slow) -> None:
    log = SideLog()
    for number in range(2000):
        log.say(logger, logging.WARNING, "%d", number)
    slow.go_on.set()
    assert log.flush(PATIENCE)
    assert slow.lines[-1] == "1999"
    assert len(slow.lines) <= 1001


def test_handler_that_raises_does_not_silence_the_next_line() -> None:
    class Broken(logging.Handler):
        seen = 0

        def emit(self, record: logging.LogRecord) -> None:
            self.seen += 1
            raise RuntimeError("no")

    handler = Broken()
    logger.addHandler(handler)
    try:
        log = SideLog()
        log.say(logger, logging.WARNING, "one")
        log.say(logger, logging.WARNING, "two")
        assert log.flush(PATIENCE)
    finally:
        logger.removeHandler(handler)
    assert handler.seen == 2


def test_lines_of_a_forked_process_are_written_there(slow: Slow) -> None:
    """The thread is not there after a fork."""
    log = SideLog()
    log.say(logger, logging.WARNING, "one")
    assert slow.reached.wait(PATIENCE)
    with log._lock:
        ended = threading.Thread(target=lambda: None)
        log._thread = ended  # as a fork leaves it: a thread that is not alive
    slow.go_on.set()
    log.say(logger, logging.WARNING, "two")
    assert log.flush(PATIENCE)
    assert "two" in slow.lines
