"""The socket on which ``hueyio web`` listens."""

from __future__ import annotations

import socket

import pytest

from hueyio import ConfigurationError
from hueyio.web.serving import listen


def test_answers_do_not_wait_for_the_browser_between_their_parts() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1, port {port}"):
            listen("127.0.0.1", port)
