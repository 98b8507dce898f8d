"""The server of the probes: what clients can make it hold, and who is answered meanwhile."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import Final

import pytest

from hueyio.testing.storage.conformance.worker import PATIENCE
from hueyio.worker.small_server import Answer, Page, SmallServer

LIVE: Final = Answer(HTTPStatus.OK, "text/plain", b"it moves\n")
GET: Final = b"GET /live HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes what a test opens: clients first, then their server."""
    with ExitStack() as stack:
        yield stack


def serve(opened: ExitStack, seconds: float = PATIENCE, **pages: Page) -> SmallServer:
    under = {"/live": Page(lambda: LIVE), **{f"/{name}": page for name, page in pages.items()}}
    server = SmallServer("127.0.0.1", 0, under, seconds=seconds)
    opened.callback(server.close)
    return server


def connect(opened: ExitStack, server: SmallServer, sent: bytes = b"") -> socket.socket:
    client = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
    client.sendall(sent)
    return client


def rest_of(client: socket.socket) -> bytes:
    """Read until the server hangs up."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def ask(opened: ExitStack, server: SmallServer, request: bytes = GET) -> tuple[int, bytes]:
    head, _, body = rest_of(connect(opened, server, request)).partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GET, 200),
        (b"GET /live?at=all HTTP/1.0\r\n\r\n", 200),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"POST /live HTTP/1.1\r\n\r\n", 405),
        (b"GET /live\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\xff\xfe \x00 HTTP/1.1\r\n\r\n", 405),
        (b"GET /live HTTP/1.1\r\nX: " + b"a" * 9000, 431),
        (b"GET " + b"a" * 9000, 431),
    ],
)
def test_requests_are_answered_by_what_they_are(opened: ExitStack, request_: bytes, status: int) -> None:
    server = serve(opened)
    assert ask(opened, server, request_)[0] == status
    assert ask(opened, server) == (200, LIVE.body)


def test_head_is_answered_without_a_body(opened: ExitStack) -> None:
    assert ask(opened, serve(opened), GET.replace(b"GET", b"HEAD")) == (200, b"")


def test_request_in_small_pieces_is_answered(opened: ExitStack) -> None:
    client = connect(opened, serve(opened))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(GET)):
        client.sendall(GET[at : at + 1])
    assert rest_of(client).endswith(LIVE.body)


@pytest.mark.parametrize("sent", [b"", b"GET /live HTTP/1.1\r\nX-Slow: "])
def test_client_that_never_ends_its_request_is_dropped(opened: ExitStack, sent: bytes) -> None:
    client = connect(opened, serve(opened, seconds=0.05), sent)
    assert rest_of(client) == b""


def test_time_does_not_begin_anew_with_each_byte(opened: ExitStack) -> None:
    client = connect(opened, serve(opened, seconds=0.2), b"GET /live HTTP/1.1\r\nX-Slow: ")
    client.settimeout(0.01)
    while not is_dropped(client):  # else the test runs into its own timeout
        with contextlib.suppress(OSError):
            client.sendall(b"a")


def is_dropped(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_client_that_does_not_read_its_answer_is_dropped(opened: ExitStack) -> None:
    large = Answer(HTTPStatus.OK, "text/plain", b"a" * 30_000_000)
    server = serve(opened, seconds=2.0, large=Page(lambda: large))
    client = connect(opened, server, GET.replace(b"/live", b"/large"))
    assert ask(opened, server) == (200, LIVE.body)
    gone = connect(opened, server)
    assert rest_of(gone) == b""  # later than the one that does not read
    assert len(rest_of(client)) < len(large.body)


def test_oldest_connections_are_dropped_when_there_are_too_many(opened: ExitStack) -> None:
    server = serve(opened)
    idle = [connect(opened, server) for _ in range(33)]
    assert rest_of(idle[0]) == b""
    assert ask(opened, server) == (200, LIVE.body)
    idle[-1].sendall(GET)
    assert rest_of(idle[-1]).endswith(LIVE.body)


def test_those_that_began_a_request_are_dropped_before_older_ones_that_said_nothing_yet(opened: ExitStack) -> None:
    server = serve(opened)
    silent = connect(opened, server)
    slow = [connect(opened, server, b"GET /live HTTP/1.1\r\nX-Slow: ") for _ in range(31)]
    assert ask(opened, server) == (200, LIVE.body)
    newest = connect(opened, server)
    assert rest_of(slow[0]) == b""
    for client in (silent, newest):
        client.sendall(GET)
        assert rest_of(client).endswith(LIVE.body)


def test_live_is_answered_while_500_slow_clients_hold_the_port(opened: ExitStack) -> None:
    server = serve(opened)
    slow = [connect(opened, server, b"GET /live HTTP/1.1\r\nX-Slow: ") for _ in range(500)]
    answers = []
    for client in slow[::50]:
        with contextlib.suppress(OSError):  # dropped before
            client.sendall(b"a")
        answers.append(ask(opened, server))
    assert answers == [(200, LIVE.body)] * 10
    for client in slow:
        client.settimeout(0.0)
    assert 0 < sum(is_held(client) for client in slow) <= 32


def is_held(client: socket.socket) -> bool:
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def test_slow_page_holds_up_no_other_and_is_made_once(opened: ExitStack) -> None:
    begun, may_end = threading.Event(), threading.Event()
    made: list[int] = []

    def count() -> Answer:
        made.append(1)
        begun.set()
        assert may_end.wait(PATIENCE)
        return Answer(HTTPStatus.OK, "text/plain", b"%d" % len(made))

    server = serve(opened, seconds=2.0, metrics=Page(count, is_slow=True))
    asking = [connect(opened, server, b"GET /metrics HTTP/1.1\r\n\r\n") for _ in range(3)]
    assert begun.wait(PATIENCE)
    assert ask(opened, server) == (200, LIVE.body)
    assert rest_of(connect(opened, server)) == b""  # a slow page's own time is another than that of a request
    may_end.set()
    assert [rest_of(it)[-1:] for it in asking] == [b"1"] * 3


def test_silent_connections_do_not_push_out_who_waits_for_a_slow_page(opened: ExitStack) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def make() -> Answer:
        begun.set()
        assert may_end.wait(PATIENCE)
        return LIVE

    server = serve(opened, metrics=Page(make, is_slow=True))
    asking = connect(opened, server, b"GET /metrics HTTP/1.1\r\n\r\n")
    assert begun.wait(PATIENCE)
    silent = [connect(opened, server) for _ in range(32)]
    assert rest_of(silent[0]) == b""
    may_end.set()
    assert rest_of(asking).endswith(LIVE.body)


@pytest.mark.parametrize("is_slow", [False, True])
def test_page_that_raises_is_an_error_and_the_others_go_on(
    opened: ExitStack, is_slow: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Answer:
        raise ValueError("a bug")

    caplog.set_level(logging.ERROR)
    server = serve(opened, bad=Page(fail, is_slow))
    assert ask(opened, server, GET.replace(b"/live", b"/bad"))[0] == 500
    assert "a bug" in caplog.text
    assert ask(opened, server) == (200, LIVE.body)


@pytest.fixture
def take_all_descriptors(opened: ExitStack) -> Callable[[], None]:
    def take() -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
        try:
            while True:
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return

    return take


def test_server_answers_one_after_another_when_there_is_no_descriptor_left(
    opened: ExitStack, take_all_descriptors: Callable[[], None]
) -> None:
    server = serve(opened)
    clients = [opened.enter_context(socket.socket()) for _ in range(5)]
    idle = clients.pop()
    for client in (*clients, idle):
        client.settimeout(PATIENCE)
    take_all_descriptors()
    idle.connect(("127.0.0.1", server.port))
    for client in clients:
        client.connect(("127.0.0.1", server.port))
        client.sendall(GET)
    assert [rest_of(client)[-9:] for client in clients] == [LIVE.body] * 4
    assert rest_of(idle) == b""


def test_closed_server_refuses_and_can_be_closed_again(opened: ExitStack) -> None:
    server = serve(opened)
    client = connect(opened, server)
    server.close()
    server.close()
    assert rest_of(client) == b""
    with pytest.raises(OSError, match=r"(?i)refused"):
        connect(opened, server)
