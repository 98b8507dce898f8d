"""Several real servers that make up one deployment: a cluster, a master with a replica and Sentinels; and TLS.

All of them are quick to notice that one of them is gone, so that tests need not wait for it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import redis
import trustme
from redis.crc import key_slot

from tests.support.servers import Server, free_port
from tests.support.terminator import Terminator

__all__ = ["SentinelGroup", "ServerCluster", "TerminatedServer", "TlsServer"]

_PATIENCE: Final = 90.0
_SLOTS: Final = 16384
_NOTICED_AFTER: Final = 500
"""Milliseconds after which a silent server is taken for dead, until ``notice_after`` says otherwise."""
_GIVEN_UP_AFTER: Final = 5.0
"""Seconds after which a fail-over that was asked for has ended or will not: its time-out is 1.5 s."""
_QUICK_REPLICATION: Final = ("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
_QUICK_SENTINEL: Final = (
    "publish-period", "100", "info-period", "200", "ping-period", "100", "ask-period", "100", "tilt-period", "1000",
)  # fmt: skip
"""Milliseconds. They learn of each other by what they publish; four periods after a fail-over the old master is made a
replica. After a pause of the whole machine they do nothing for a tilt period."""


class ServerCluster:
    """Three nodes that share the slots, and, if asked for, one replica of the node that serves ``key``."""

    def __init__(self, binary: Path, *options: str, scheme: str = "redis+cluster") -> None:
        self._scheme = scheme
        self.nodes = [_make_node(binary, *options) for _ in range(3)]
        for node in self.nodes:
            node.start()
        size = _SLOTS // len(self.nodes) + 1
        for index, node in enumerate(self.nodes):
            _admin(node, "CLUSTER", "ADDSLOTSRANGE", index * size, min((index + 1) * size, _SLOTS) - 1)
            _admin(node, "CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for node in self.nodes[1:]:
            self._introduce(node)
        self.wait_until_ready()

    @property
    def url(self) -> str:
        """Where it is; two of its nodes."""
        return f"{self._scheme}://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def node_of(self, key: bytes) -> Server:
        """Return the node that serves a key, as the others see it."""
        slot = key_slot(key)
        for node in self.nodes:
            if node.is_running:
                for first, last, master, *_ in _admin(node, "CLUSTER", "SLOTS"):
                    if first <= slot <= last:
                        return next(it for it in self.nodes if it.port == master[1])
        raise RuntimeError(f"no node serves slot {slot}")

    def add_replica(self, key: bytes, *options: str) -> Server:
        """Give the node that serves a key a replica; return it when it has caught up."""
        master = self.node_of(key)
        replica = _make_node(master.binary, *options)
        self.nodes.append(replica)
        replica.start()
        self._introduce(replica)
        self.wait_until_ready()
        _admin(replica, "CLUSTER", "REPLICATE", _admin(master, "CLUSTER", "MYID").decode())
        _wait(lambda: b"master_link_status:up" in _admin(replica, "INFO", "replication"))
        return replica

    def move(self, key: bytes) -> tuple[Server, Callable[[], None]]:
        """Begin to move a key's slot to another node; return that, and what moves all keys and ends it."""
        source, slot = self.node_of(key), key_slot(key)
        target = next(node for node in self.nodes if node is not source and node.is_running)
        source_id, target_id = (_admin(node, "CLUSTER", "MYID").decode() for node in (source, target))
        _admin(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        _admin(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)

        def finish() -> None:
            while keys := _admin(source, "CLUSTER", "GETKEYSINSLOT", slot, 100):
                _admin(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            for node in (target, source, *self.nodes):
                if node.is_running:
                    _admin(node, "CLUSTER", "SETSLOT", slot, "NODE", target_id)

        return target, finish

    def notice_after(self, milliseconds: int) -> None:
        """Take a node for dead when it was silent for so long; at first after 500, which a busy machine can be."""
        for node in self.nodes:
            _admin(node, "CONFIG", "SET", "cluster-node-timeout", milliseconds)

    def dispose(self) -> None:
        """Kill all nodes."""
        for node in self.nodes:
            node.dispose()

    def _introduce(self, node: Server) -> None:
        first = self.nodes[0]
        bus = int(_admin(first, "CONFIG", "GET", "cluster-port")[1])
        _admin(node, "CLUSTER", "MEET", "127.0.0.1", first.port, bus)

    def wait_until_ready(self) -> None:
        """Wait until all nodes know of all, and serve."""
        known = f"cluster_known_nodes:{len(self.nodes)}\r\n".encode()

        def is_ready() -> bool:
            infos = [_admin(node, "CLUSTER", "INFO") for node in self.nodes]
            return all(b"cluster_state:ok" in info and known in info for info in infos)

        _wait(is_ready)


class SentinelGroup:
    """A master, a replica, and three Sentinels that watch them. Both servers write down what they do."""

    master_name: Final = "main"

    def __init__(self, binary: Path, *options: str) -> None:
        options = ("--appendonly", "yes", "--appendfsync", "no", *_QUICK_REPLICATION, *options)
        master = Server(binary, *options)
        master.start()
        replica = Server(binary, *options, "--replicaof", "127.0.0.1", str(master.port))
        replica.start()
        self.servers = [master, replica]
        self.sentinels = [_Sentinel(binary, self.master_name, master.port) for _ in range(3)]
        for sentinel in self.sentinels:
            sentinel.start()
            _admin(sentinel, "SENTINEL", "DEBUG", *_QUICK_SENTINEL)
        self.wait_until_ready()

    @property
    def url(self) -> str:
        """Where it is."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.master_name}/0"

    @property
    def master(self) -> Server:
        """The master, as the first Sentinel that runs sees it."""
        sentinel = next(it for it in self.sentinels if it.is_running)
        port = int(_admin(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.master_name)[1])
        return next(server for server in self.servers if server.port == port)

    def wait_until_ready(self) -> None:
        """Wait until the Sentinels know of all, and the replica has caught up."""

        def is_ready() -> bool:
            replica = next(server for server in self.servers if server is not self.master)
            seen = [_pairs(_admin(it, "SENTINEL", "MASTER", self.master_name)) for it in self.sentinels]
            return b"master_link_status:up" in _admin(replica, "INFO", "replication") and all(
                (it[b"num-slaves"], it[b"num-other-sentinels"], it[b"flags"]) == (b"1", b"2", b"master") for it in seen
            )

        _wait(is_ready)

    def begin_fail_over(self) -> Server:
        """Have the Sentinels make the replica the master; return the old master, which does not know of it yet."""
        before, asked = self.master, -_GIVEN_UP_AFTER

        def is_over() -> bool:
            nonlocal asked
            if self.master is not before:
                return True
            if time.monotonic() - asked > _GIVEN_UP_AFTER:
                try:
                    _admin(self.sentinels[0], "SENTINEL", "FAILOVER", self.master_name)
                    asked = time.monotonic()
                except redis.ResponseError as error:
                    # It has not heard of the replica for a while, or is at it already.
                    if not any(reason in str(error) for reason in ("NOGOODSLAVE", "INPROG")):
                        raise
            return False

        _wait(is_over)
        return before

    def wait_until_demoted(self, before: Server) -> None:
        """Wait until the Sentinels have made this one a replica."""
        _wait(lambda: b"role:slave" in _admin(before, "INFO", "replication"))

    def notice_after(self, milliseconds: int) -> None:
        """Take a server for dead when it was silent for so long; at first after 500, which a busy machine can be."""
        for sentinel in self.sentinels:
            _admin(sentinel, "SENTINEL", "SET", self.master_name, "down-after-milliseconds", milliseconds)

    def publish_every(self, milliseconds: int) -> None:
        """Have the Sentinels be as slow as they usually are (2,000), or as quick as they are here (100)."""
        for sentinel in self.sentinels:
            _admin(sentinel, "SENTINEL", "DEBUG", "publish-period", milliseconds)

    def written_by(self, server: Server) -> bytes:
        """Return all that this server has written, as a master or as a replica, as it stands in its files."""
        return b"".join([file.read_bytes() for file in (server.directory / "appendonlydir").iterdir()])

    def wait_for_other_master(self, before: Server) -> None:
        """Wait until the Sentinels have noticed that this one is gone, and have made another the master."""
        _wait(lambda: self.master is not before)

    def dispose(self) -> None:
        """Kill them all."""
        for server in (*self.sentinels, *self.servers):
            server.dispose()


class TlsServer(Server):
    """A server that talks TLS only, with a certificate of an authority of its own; clients must show theirs."""

    def __init__(self, binary: Path, *options: str) -> None:
        super().__init__(binary, *options)
        self.plain_port, self.port = self.port, free_port()
        self.authority, self.certificate, self.key = _make_certificates(self.directory)

    @property
    def url(self) -> str:
        """Where it is, with what a client needs."""
        query = f"ssl_ca_certs={self.authority}&ssl_certfile={self.certificate}&ssl_keyfile={self.key}"
        return f"rediss://127.0.0.1:{self.port}/0?{query}"

    def _arguments(self) -> list[str]:
        return [
            *super()._arguments(), "--port", "0", "--tls-port", str(self.port), "--tls-key-file", str(self.key),
            "--tls-cert-file", str(self.certificate), "--tls-ca-cert-file", str(self.authority),
        ]  # fmt: skip

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1.0) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


class TerminatedServer(TlsServer):
    """The same for a server that was built without TLS: a terminator stands in front of it."""

    def start(self) -> None:
        """Start both."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        context.verify_mode = ssl.CERT_REQUIRED
        self._terminator = Terminator(self.port, self.plain_port, context)
        self._terminator.start()
        super().start()

    def dispose(self) -> None:
        """End both."""
        self._terminator.stop()
        super().dispose()

    def _arguments(self) -> list[str]:
        return [*Server._arguments(self), "--port", str(self.plain_port)]


class _Sentinel(Server):
    def __init__(self, binary: Path, master_name: str, master_port: int) -> None:
        super().__init__(binary)
        self._config = self.directory / "sentinel.conf"
        self._config.write_text(
            f"sentinel monitor {master_name} 127.0.0.1 {master_port} 2\n"
            f"sentinel down-after-milliseconds {master_name} {_NOTICED_AFTER}\n"
            f"sentinel failover-timeout {master_name} 1500\n"
        )

    def _arguments(self) -> list[str]:
        return [
            str(self._config), "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
            str(self.directory),
        ]  # fmt: skip


def _make_node(binary: Path, *options: str) -> Server:
    return Server(
        binary, "--cluster-enabled", "yes", "--cluster-port", str(free_port()),
        "--cluster-node-timeout", str(_NOTICED_AFTER), *_QUICK_REPLICATION, *options,
    )  # fmt: skip


def _admin(server: Server, *command: Any) -> Any:
    """Send one command and return the reply as it came."""
    with redis.Redis(port=server.port, socket_timeout=5.0, protocol=2) as client:
        connection = client.connection_pool.get_connection()
        connection.send_command(*command)
        return connection.read_response()


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _wait(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _is_answered(question):
        if time.monotonic() > deadline:
            raise RuntimeError("the servers do not come to an agreement")
        time.sleep(0.02)  # nothing announces it


def _is_answered(question: Callable[[], bool]) -> bool:
    """Ask; a server that changes its role meanwhile closes its connections."""
    try:
        return question()
    except redis.ConnectionError:
        return False


def _make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make an authority and a certificate for servers and clients at this address; return both, and the key."""
    authority, certificate, key = folder / "ca.crt", folder / "server.crt", folder / "server.key"
    maker = trustme.CA()
    issued = maker.issue_cert("127.0.0.1", "localhost")
    maker.cert_pem.write_to_path(authority)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return authority, certificate, key
