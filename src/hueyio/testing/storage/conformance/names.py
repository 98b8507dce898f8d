"""Names, ids and bytes that mean something to somebody below."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from hueyio.storage.contract import Session
from hueyio.storage.records import Latch, LatchMark, Over
from hueyio.testing.storage.conformance.basis import Basis
from hueyio.testing.storage.conformance.worker import Worker, die, make_entry, soon
from hueyio.testing.storage.recipe import Recipe

__all__ = ["Names"]

HOSTILE: Final = [
    "", " ", "a b", "\n", "a:b", "a::b", "{a}", "{", "}", "a}{b", "*", "?[a-z]", "%", "%3A", "_", "'", '"', "\\",
    "; DROP TABLE hueyio_tasks; --", "[[x]]", "%s", "{0}", "0", "-1", "1e3", "nil", "null", "ünïcödé", "日本", "🐍",
    "a\x00b", "a/../b", "A", "a", "x" * 2000,
]  # fmt: skip


class Names(Basis):
    """No name is confused with another, and none is read as anything but a name."""

    async def test_any_text_is_an_id(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue([make_entry(id, priority=0.0) for id in HOSTILE])
        assert [(it.id, it.state, it.data) for it in await session.locate(HOSTILE)] == [
            (id, "queued", id.encode()) for id in HOSTILE
        ]
        deliveries = await worker.claim()
        assert [(it.receipt.id, it.data) for it in deliveries] == [(id, id.encode()) for id in HOSTILE]
        for it in deliveries:
            assert await session.start([it.receipt], worker.owner) == [True]
        for it in deliveries:
            await worker.finish(it, result=b"result of " + it.data)
        expected = [Over(id, b"result of " + id.encode(), kind="done") for id in HOSTILE]
        assert [over._replace(shared=False) for over in await soon(session.await_outcomes(HOSTILE))] == expected

    async def test_any_text_is_a_key(self, session: Session) -> None:
        await session.put("data", {key: key.encode() for key in HOSTILE})
        assert await session.peek("data", HOSTILE) == [key.encode() for key in HOSTILE]
        assert sorted(await session.scan_keys("data")) == sorted((key, key.encode()) for key in HOSTILE)
        for key in HOSTILE:
            assert await session.pop("data", key) == key.encode()
            assert await session.add("windows", key) == 1
        assert await session.scan_keys("data") == []

    async def test_any_text_is_an_owner(self, session: Session) -> None:
        await session.enqueue([make_entry(f"t{i}") for i in range(len(HOSTILE))])
        workers = [await Worker.register(session, owner) for owner in HOSTILE]
        for worker in workers:
            (delivery,) = await worker.claim(loop=1)
            assert delivery.receipt.owner == worker.owner
        assert sorted(it.owner for it in await session.owners()) == sorted(HOSTILE)
        assert [await die(worker) for worker in workers] == [1] * len(HOSTILE)

    async def test_any_text_is_a_unique_key_and_a_token(self, session: Session) -> None:
        entries = [make_entry(f"t{i}", unique_key=it, once_token=it) for i, it in enumerate(HOSTILE)]
        assert {it.verdict for it in await session.enqueue(entries)} == {"added"}
        again = [make_entry(f"u{i}", unique_key=it) for i, it in enumerate(HOSTILE)]
        assert [it.holder for it in await session.enqueue(again)] == [entry.header.id for entry in entries]
        letters = [make_entry(id, unique_key=f"of {id}") for id in "abdflrstux"]
        assert {it.verdict for it in await session.enqueue(letters)} <= {"added"}
        once_more = [make_entry(f"another {it.header.id}", unique_key=it.header.unique_key) for it in letters]
        assert [it.holder for it in await session.enqueue(once_more)] == list("abdflrstux")
        done = [make_entry(f"v{i}", once_token=it) for i, it in enumerate(HOSTILE)]
        assert {it.verdict for it in await session.enqueue(done)} == {"done"}

    async def test_any_text_is_expected_and_a_reason(self, worker: Worker) -> None:
        expects = tuple(f"{text}!" for text in HOSTILE)
        await worker.session.enqueue([make_entry("first", expects=expects)])
        assert {it.state for it in await worker.session.locate(expects)} == {"expected"}
        await worker.bury(await worker.claim_one(), reason="".join(HOSTILE), also=expects, result=b"lost")
        assert {it.state for it in await worker.session.locate(expects)} == {"stored"}
        assert [letter.reason for letter in await worker.session.dead()] == ["".join(HOSTILE)]
        assert (await worker.session.dead())[0].header.expects == expects

    async def test_any_text_is_a_lock_its_holder_and_a_bucket(self, session: Session) -> None:
        for text in HOSTILE:
            assert await session.acquire(text, text, 1, 600.0)
            assert await session.take(text, 0.001, 1) == 0.0
        for text in HOSTILE:
            assert await session.holders(text) == [text]
            assert not await session.acquire(text, "another", 1, 600.0)
            assert await session.take(text, 0.001, 1) > 0
        assert sorted(key for key, _ in await session.scan_keys("locks")) == sorted(HOSTILE)
        assert [await session.release(text, text) for text in HOSTILE] == [True] * len(HOSTILE)
        assert await session.scan_keys("locks") == []

    async def test_any_text_is_a_latch(self, worker: Worker) -> None:
        session = worker.session
        members = [make_entry(f"m{text}", latch=f"c{text}", latch_index=0) for text in HOSTILE]
        await session.enqueue(members, [Latch(1, make_entry(f"c{text}", collects=True)) for text in HOSTILE])
        ends = [
            worker.end(it, latch=LatchMark(str(it.header.latch), 0, it.data)) for it in await worker.claim(loop=200)
        ]
        assert await worker.settle(*ends) == ["fired"] * len(HOSTILE)
        results = await session.collect([f"c{text}" for text in HOSTILE])
        assert results == [(f"m{text}".encode(),) for text in HOSTILE]
        assert sorted(await worker.claim_ids(loop=200)) == sorted(f"c{text}" for text in HOSTILE)

    async def test_an_id_is_not_a_unique_key_a_token_or_a_result_of_another(self, worker: Worker) -> None:
        session = worker.session
        await session.enqueue([make_entry("a", unique_key="b", once_token="c", expects=("d",))])
        for area in ("results", "data", "revocations", "locks", "windows"):
            await session.put(area, {"e": area.encode()})
        verdicts = await session.enqueue([make_entry(id) for id in "bcde"])
        assert [it.verdict for it in verdicts] == ["added"] * 4
        assert await worker.claim_ids() == list("abcde")

    async def test_no_queue_is_confused_with_another(self, recipe: Recipe) -> None:
        base = recipe.build().name
        texts = [text for text in HOSTILE if len(text) < 100 and "\x00" not in text]
        names = [f"{base}{text}" for text in texts] + [f"{text}{base}" for text in texts if text]
        async with AsyncExitStack() as stack:
            sessions: dict[str, Session] = {}
            for name in names:
                sessions[name] = await recipe.build(name=name).connect()
                stack.push_async_callback(sessions[name].close)
                await sessions[name].enqueue([make_entry("same id", name.encode(), unique_key="k", once_token="t")])
                await sessions[name].put("data", {"same key": name.encode()})
            first, *rest = names
            await sessions[first].clear(["queue", "data"])
            assert sum((await sessions[first].counts()).queued.values()) == 0
            for name in rest:
                worker = await Worker.register(sessions[name], "same owner")
                assert (await worker.claim_one()).data == name.encode()
                assert await sessions[name].scan_keys("data") == [("same key", name.encode())]
