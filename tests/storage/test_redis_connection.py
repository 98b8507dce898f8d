"""One connection: when commands are written, whose replies are whose, and how it ends.

Where a real server would not do it, the other end is a socket of the test's: one that reads nothing, or that cuts a
reply in two.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import hiredis
import pytest
import redis
from redis.exceptions import RedisError
from tests.conftest import SERVER_KINDS, SERVERS, ServerOf
from tests.support.patience import until
from tests.support.servers import Server

from hueyio.exceptions import HueyException, StorageUnavailable
from hueyio.storage.records import Entry, Finish, Header, Over
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.connection.command import pack
from hueyio.storage.redis.connection.connecting import connect
from hueyio.storage.redis.connection.deployment import Standalone
from hueyio.storage.redis.connection.errors import NothingDone
from hueyio.storage.redis.connection.inside_redis_py import Connection, abort, open_connection
from hueyio.storage.redis.connection.options import RedisOptions
from hueyio.storage.redis.connection.stream import Stream
from hueyio.storage.redis.connection.wire import Link
from hueyio.storage.redis.layout import Layout
from hueyio.storage.redis.scripts import SCRIPTS, Argument, PreparedScript, read_script

_PATIENCE = 20.0


class Peer:
    """Listens, and is the other end of one connection, on which redis-py says nothing of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_PATIENCE)
        nameless = redis.DriverInfo(name="", lib_version="")
        self.options = RedisOptions.from_settings(
            {"host": "127.0.0.1", "port": self._listener.getsockname()[1], "driver_info": nameless}
        )
        self.socket = self._listener

    async def link(self) -> Link:
        link = Link(await connect(Standalone(self.options)), None)
        self._accept()
        return link

    async def connection(self) -> Connection:
        connection = self.options.make_connection()
        await open_connection(connection)
        self._accept()
        return connection

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self) -> bytes:
        """Return what has been written; wait if nothing has."""
        return self.socket.recv(100_000)

    def leave(self, way: str) -> None:
        if way == "end":
            self.socket.shutdown(socket.SHUT_WR)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()

    def close(self) -> None:
        self.socket.close()
        self._listener.close()

    def answer_all(self, number: int) -> None:
        """Read so many commands, and answer each with its number."""
        commands, answered = hiredis.Reader(), 0
        while answered < number:
            commands.feed(self.socket.recv(1_000_000))
            while commands.gets() is not False:
                self.say(b":%d\r\n" % answered)
                answered += 1

    def _accept(self) -> None:
        self.socket, _ = self._listener.accept()
        self.socket.settimeout(_PATIENCE)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


async def test_first_call_is_written_at_once_and_the_rest_of_the_turn_as_one_piece(peer: Peer) -> None:
    link = await peer.link()
    commands = [pack("ECHO", number) for number in range(4)]
    calls = [link.send(command) for command in commands]
    assert peer.hear() == commands[0].packed  # in the same turn of the loop: nobody has waited yet
    await asyncio.sleep(0)
    assert peer.hear() == b"".join(command.packed for command in commands[1:])
    peer.say(b"$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1")
    assert await asyncio.gather(*calls[:3]) == [b"0", b"1", b"2"]
    peer.say(b"\r\n3\r\n")
    assert await calls[3] == b"3"
    link.cut(StorageUnavailable("over"))


async def test_caller_goes_on_in_the_turn_after_that_in_which_the_reply_is_read(peer: Peer) -> None:
    link = await peer.link()
    call = link.send(pack("PING"))
    peer.say(b"+PONG\r\n")
    turns = 0
    while not call.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns <= 2  # one in which the reply is read, one in which this test goes on
    link.cut(StorageUnavailable("over"))


async def test_calls_wait_in_order_while_the_server_reads_nothing(peer: Peer) -> None:
    link = await peer.link()
    calls = []
    for _ in range(300):  # 30 MB, of which the system takes no more than ten
        calls.append(link.send(pack("ECHO", b"x" * 100_000)))
        await asyncio.sleep(0)
    transport = link._stream._transport
    assert transport is not None
    assert transport.get_write_buffer_size() < 1_000_000
    await asyncio.to_thread(peer.answer_all, len(calls))
    assert await asyncio.gather(*calls) == list(range(300))
    link.cut(StorageUnavailable("over"))


async def test_reply_to_a_caller_who_went_away_is_nobody_elses(peer: Peer) -> None:
    link = await peer.link()
    gone, stays = link.send(pack("ECHO", 1)), link.send(pack("ECHO", 2))
    gone.cancel()
    peer.say(b"$1\r\n1\r\n$1\r\n2\r\n")
    assert await stays == b"2"
    link.cut(StorageUnavailable("over"))


@pytest.mark.parametrize(
    ("way", "reason"), [("end", "the connection is closed"), ("reset", "connection reset by peer")]
)
async def test_all_calls_fail_when_the_connection_breaks(peer: Peer, way: str, reason: str) -> None:
    link = await peer.link()
    calls = [link.send(pack("ECHO", number)) for number in range(3)]
    calls[1].cancel()
    peer.leave(way)
    for call in (calls[0], calls[2]):
        with pytest.raises(StorageUnavailable, match=reason):
            await call
    with pytest.raises(NothingDone):
        await link.send(pack("PING"))
    await link.run()  # it is over


@pytest.mark.parametrize("said", [b"+OK\r\n", b"-ERR max number of clients reached\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
async def test_connection_is_given_up_when_the_server_speaks_unasked(peer: Peer, said: bytes) -> None:
    link = await peer.link()
    peer.say(said)
    await link.run()
    with pytest.raises(NothingDone):
        await link.send(pack("PING"))


async def test_what_came_before_the_connection_was_taken_over_is_not_lost(peer: Peer) -> None:
    connection = await peer.connection()
    peer.say(b"+early\r\n+la")

    async def has_come() -> bool:
        return len(vars(connection._reader)["_buffer"]) > 0

    await until(has_come)
    stream = await Stream.of(connection)
    peer.say(b"te\r\n")
    replies: list[Any] = []
    two_came = asyncio.Event()

    def take(reply: Any) -> None:
        replies.append(reply)
        if len(replies) == 2:
            two_came.set()

    stream.begin(take, lambda _: None)
    await two_came.wait()
    assert replies == [b"early", b"late"]
    stream.close()


@pytest.mark.parametrize("way", ["end", "reset"])
async def test_connection_that_has_ended_is_not_taken_over(peer: Peer, way: str) -> None:
    connection = await peer.connection()
    reader = connection._reader
    assert reader is not None
    peer.leave(way)

    async def has_ended() -> bool:
        return reader.at_eof() or reader.exception() is not None

    await until(has_ended)
    with pytest.raises((RedisError, OSError)):
        await Stream.of(connection)
    await abort(connection)


async def test_server_with_too_many_clients_is_unavailable_until_one_leaves() -> None:
    server = Server(SERVERS[SERVER_KINDS[0]], "--maxclients", "1")
    server.start()
    try:
        storage = RedisStorage("app", url=server.url, outage_timeout=0)
        with redis.Redis.from_url(server.url) as first:
            assert first.ping()
            with pytest.raises(StorageUnavailable, match=f"127.0.0.1:{server.port}"):
                await storage.connect()

        async def is_let_in() -> bool:
            try:
                session = await storage.connect()
            except HueyException:
                return False
            await session.close()
            return True

        await until(is_let_in)
    finally:
        await asyncio.to_thread(server.dispose)


@pytest.mark.parametrize("size", [0, 100, 100_000])
def test_call_of_a_script_is_packed_as_any_command(size: int) -> None:
    layout = Layout("app")
    args: list[Argument] = ["id", b"x" * size, 1, 0.5] if size else []
    for name in sorted(SCRIPTS):
        prepared = PreparedScript.of(read_script(name, layout.flavour), layout)
        for keys in ((), layout.helds(["a", "b"])):
            rest = (len(prepared.fixed) + len(keys), *prepared.fixed, *keys, *args)
            assert prepared.pack(keys, args) == pack("EVALSHA", prepared.script.digest, *rest).packed


async def test_enqueues_of_one_turn_are_two_commands_and_stay_in_order(server_of: ServerOf) -> None:
    server = server_of(SERVER_KINDS[0])
    session = await RedisStorage(uuid.uuid4().hex, url=server.url).connect()
    await session.register("owner", b"")
    ids = [f"{number}" for number in range(20)]
    with redis.Redis.from_url(server.url) as admin:
        admin.config_resetstat()
        await asyncio.gather(*[session.enqueue([Entry(Header(id), b"")]) for id in ids])
        assert admin.info("commandstats")["cmdstat_evalsha"]["calls"] == 2
    assert [it.receipt.id for it in await session.claim({"loop": 20}, "owner")] == ids
    await session.close()


async def test_enqueue_is_written_when_its_caller_is_cancelled(server_of: ServerOf) -> None:
    session = await RedisStorage(uuid.uuid4().hex, url=server_of(SERVER_KINDS[0]).url).connect()
    calls = [asyncio.ensure_future(session.enqueue([Entry(Header(id), b"")])) for id in ("at once", "with others")]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)

    async def are_written() -> bool:
        return [it.state for it in await session.locate(["at once", "with others"])] == ["queued"] * 2

    await until(are_written)
    await session.close()


def test_session_works_on_uvloop(server_of: ServerOf) -> None:
    uvloop = import_module("uvloop")
    server = server_of(SERVER_KINDS[0])

    async def use(url: str) -> None:
        session = await RedisStorage(uuid.uuid4().hex, url=url).connect()
        await session.register("owner", b"")
        large = b"x" * 3_000_000
        await session.enqueue([Entry(Header("a"), large)])
        ended = asyncio.ensure_future(session.await_outcomes(["a"]))
        assert await session.wait_for_work(["loop"], 60) == {"loop"}
        (delivery,) = await session.claim({"loop": 1}, "owner")
        assert delivery.data == large
        assert await session.settle([Finish(delivery.receipt, large)], "owner", 1) == ["accepted"]
        assert await ended == [Over("a", large, kind="done")]
        await session.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(use(server.url))
        runner.run(use(server.unix_url))
