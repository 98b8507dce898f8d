"""Large tasks whose claim was carried out, though its worker never heard of it: they end as all others do."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
from tests.conftest import EACH_SERVER, ServerOf

from hueyio.storage.records import LANES, Delivery, Enqueued, Entry, Finish, Header
from hueyio.storage.redis import RedisStorage
from hueyio.storage.redis.session import RedisSession

OWNER = "owner"
LARGE = b"x" * 100_000


@pytest.fixture(params=EACH_SERVER)
async def session(request: pytest.FixtureRequest, server_of: ServerOf) -> AsyncIterator[RedisSession]:
    opened = await RedisStorage(uuid.uuid4().hex, url=server_of(request.param).url).connect()
    await opened.register(OWNER, b"")
    yield opened
    await opened.close()


async def claim_unheard(session: RedisSession) -> Delivery:
    """Have the server carry out a claim, and learn of it as after a lost reply."""
    core = session._core
    assert await core.run("claim", [OWNER, *[10 for _ in LANES]], [core.layout.held(OWNER)])
    (delivery,) = await session.held(OWNER)
    assert delivery.data == LARGE
    return delivery


async def test_unique_key_is_free_again(session: RedisSession) -> None:
    await session.enqueue([Entry(Header("a", unique_key="key"), LARGE)])
    delivery = await claim_unheard(session)
    assert await session.enqueue([Entry(Header("b", unique_key="key"), b"")]) == [Enqueued("taken", "a")]
    assert await session.settle([Finish(delivery.receipt)], OWNER, 1) == ["accepted"]
    assert await session.enqueue([Entry(Header("b", unique_key="key"), b"")]) == [Enqueued("added")]


async def test_what_it_lets_expect_is_over_with_it(session: RedisSession) -> None:
    await session.enqueue([Entry(Header("a", expects=("later",)), LARGE)])
    delivery = await claim_unheard(session)
    assert [it.state for it in await session.locate(["later"])] == ["expected"]
    await session.settle([Finish(delivery.receipt)], OWNER, 1)
    assert (await session.counts()).expected == 0
