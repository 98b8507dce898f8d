"""Revocations are looked for only where there are any."""

from __future__ import annotations

from hueyio import Huey
from hueyio.core import core_of
from hueyio.storage.records import Entry, Header


async def test_claim_says_that_nothing_is_revoked(huey: Huey) -> None:
    session = await core_of(huey).session()
    await session.register("me", b"")
    await session.enqueue([Entry(Header(id), b"") for id in "abc"])
    (first,) = await session.claim({"loop": 1}, "me")
    assert first.unrevoked
    assert [it.unrevoked for it in await session.held("me")] == [True]
    await session.put("revocations", {"r:other": b"revoked"})
    (second,) = await session.claim({"loop": 1}, "me")
    assert not second.unrevoked
    await session.delete("revocations", ["r:other"])
    (third,) = await session.claim({"loop": 1}, "me")
    assert third.unrevoked
