"""Which rings are news to whom."""

from __future__ import annotations

from hueyio.storage.records import Bell, Delivery, Header, Receipt
from hueyio.storage.shared.seen_rings import SeenRings


def numbers(loop: int = 0, thread: int = 0) -> dict[Bell, int]:
    return {"loop": loop, "thread": thread, "process": 0, "schedule": 0}


def test_ring_is_news_once() -> None:
    rings = SeenRings()
    rung = rings.begin(["loop"])(numbers(loop=1))
    assert rung == {"loop": 1}
    assert rings.end({"loop": 1}) == {"loop"}
    assert rings.begin(["loop"])(numbers(loop=1)) is None
    assert rings.begin(["loop"])(numbers(loop=2)) == {"loop": 2}


def test_ring_is_no_news_when_a_claim_took_all_that_it_was_for() -> None:
    rings = SeenRings()
    begun_before = rings.begin(["loop", "thread"])
    rings.note_answered({"loop": 3})
    for answer in (begun_before, rings.begin(["loop", "thread"])):
        assert answer(numbers(loop=3)) is None
        assert answer(numbers(loop=3, thread=1)) == {"thread": 1}
        assert answer(numbers(loop=4)) == {"loop": 4}


def test_lane_is_news_when_a_claim_had_room_for_no_more_of_it() -> None:
    rings = SeenRings()
    rings.note_answered({"loop": 3})
    taken = Delivery(Receipt("me", "a", 0), Header("a"), b"")
    assert rings.note_claim({"loop": 1}, [taken])
    assert rings.begin(["loop"])(numbers(loop=3)) == {"loop": 3}
