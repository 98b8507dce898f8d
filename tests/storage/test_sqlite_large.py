"""What a claim of a large message writes into SQLite's log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from hueyio.storage.owner_names import make_owner_name, owner_length
from hueyio.storage.sqlite import SqliteStorage
from hueyio.testing.storage.conformance.worker import Worker, make_entry

SIZE: Final = 1_000_000


def length_of_log(path: Path) -> int:
    """Return how long the log is; it gets a length of its own only after 32 commits."""
    return os.stat(f"{path}-wal").st_size


def test_names_of_owners_of_one_host_are_equally_long_and_differ() -> None:
    names = {make_owner_name() for _ in range(20)}
    assert len(names) == 20
    assert {len(name) for name in names} == {owner_length()}


@pytest.mark.parametrize("with_header", [False, True])
async def test_claim_of_a_large_message_does_not_write_it_again(tmp_path: Path, with_header: bool) -> None:
    path = tmp_path / "tasks.db"
    session = await SqliteStorage("app", path).connect()
    try:
        worker = await Worker.register(session, make_owner_name())
        header = {"unique_key": "only one"} if with_header else {}
        await session.enqueue([make_entry("a", b"x" * SIZE, **header)])
        before = length_of_log(path)
        assert before > SIZE
        (delivery,) = await worker.claim()
        assert delivery.data == b"x" * SIZE
        assert length_of_log(path) - before < SIZE // 10
        await worker.finish(delivery)
        assert length_of_log(path) - before < SIZE // 5
    finally:
        await session.close()


async def test_owner_of_another_length_gets_the_message_all_the_same(tmp_path: Path) -> None:
    session = await SqliteStorage("app", tmp_path / "tasks.db").connect()
    try:
        worker = await Worker.register(session, "somebody else")
        await session.enqueue([make_entry("a", b"x" * SIZE)])
        (ready,) = (await session.page("ready", 10)).items
        assert ready.owner is None
        (delivery,) = await worker.claim()
        (running,) = (await session.page("running", 10)).items
        assert (delivery.data, running.owner) == (b"x" * SIZE, "somebody else")
    finally:
        await session.close()
