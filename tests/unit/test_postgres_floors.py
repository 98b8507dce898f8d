"""Up to where a session of PostgreSQL has read each lane."""

from __future__ import annotations

from typing import Any

from hueyio.storage.postgres.floors import Floors

REWIND = 4


def claimed(*places: int, rank: float = 0.0) -> list[tuple[Any, ...]]:
    """Return what a claim returns: tasks of lane 0 at these places, and the rewind of the queue."""
    rows = [(f"t{place}", 0, rank, *[None] * 10, place) for place in places]
    return [*rows, (*[None] * 13, REWIND)]


def test_claim_begins_where_the_last_one_has_got_to() -> None:
    floors = Floors()
    floors.take(claimed())
    floors.arguments()
    floors.take(claimed(7, 9))
    assert floors.arguments()[:4] == [[0], [0.0], [9], REWIND]


def test_lowered_floors_let_the_next_claim_read_from_that_place_on() -> None:
    floors = Floors()
    floors.take(claimed())
    floors.take(claimed(9))
    floors.take(claimed(3, rank=-5.0))
    floors.lower(8)
    assert floors.arguments()[:3] == [[0, 0], [-5.0, 0.0], [3, 7]]


def test_claim_that_was_under_way_does_not_raise_lowered_floors() -> None:
    floors = Floors()
    floors.take(claimed())
    floors.take(claimed(9))
    floors.arguments()
    floors.lower(8)
    assert floors.take(claimed(12)) == claimed(12)[:-1]
    assert floors.arguments()[2] == [7]
    floors.take(claimed(12))
    assert floors.arguments()[2] == [12]


def test_forgotten_floors_let_the_next_claim_read_all() -> None:
    floors = Floors()
    floors.take(claimed())
    floors.take(claimed(9))
    floors.forget()
    assert floors.arguments()[:3] == [[], [], []]
