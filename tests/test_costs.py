"""What a task costs, counted, has not grown."""

from __future__ import annotations

import platform

import pytest

from tests.support.costs import STORAGES, Costs, choose, count_in_process, find_growth, read_file

_WRITTEN = read_file()
_MOST_ROUNDS = 3
"""What is counted once too much is counted again: who of two is first is a matter of chance, what grew is not."""

_TOLD = """
tests/costs.json has what each of these cost when it was written{since}. Look what a task does more than before; if that
is meant, write the file anew: python -m tests.support.costs
"""


@pytest.fixture(scope="module")
def counted() -> dict[str, Costs]:
    python = ".".join(platform.python_version_tuple()[:2])
    if python != _WRITTEN["python"]:
        pytest.skip(f"each Python calls its own library in its own way; the figures are of {_WRITTEN['python']}")
    return count_in_process()


@pytest.mark.timeout(400)  # five seconds of one core, of which a busy machine gives little
def test_cost_of_a_task_has_not_grown_by_a_tenth(counted: dict[str, Costs]) -> None:
    rounds = [counted]
    while (grown := _find_grown(choose(min, rounds))) and len(rounds) < _MOST_ROUNDS:
        rounds.append(count_in_process())
    since = " with " + ", ".join(f"{name} {version}" for name, version in _WRITTEN["packages"].items())
    assert not grown, "\n".join(["", *grown, _TOLD.format(since=since)])


def _find_grown(counted: dict[str, Costs]) -> list[str]:
    return [
        f"{storage}, {one}" for storage in STORAGES for one in find_growth(_WRITTEN["costs"][storage], counted[storage])
    ]


def test_growth_is_told_when_a_figure_grew_by_more_than_a_tenth() -> None:
    written = {"map": {"calls": 40.0, "syncs": 0.01}}
    assert find_growth(written, {"map": {"calls": 43.9, "syncs": 0.01}}) == []
    assert find_growth(written, {"map": {"calls": 44.2, "syncs": 0.01}}) == [
        "map: 44.20 calls per task, 40.00 were written"
    ]
    assert find_growth(written, {"map": {"calls": 40.0, "syncs": 0.02}}) != []
    assert find_growth({}, {"map": {"calls": 40.0}}) == ["map: 40.00 calls per task, of which nothing is written"]
