"""How the table of the benchmarks is put together: which figures are compared, which goals are met, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("benchmarks", reason="the source distribution has no benchmarks")

from benchmarks.rows import ROWS, Figure, Goal, contenders_of
from benchmarks.samples import Samples
from benchmarks.verdict import judge
from benchmarks.verdict_lines import to_markdown, to_text

_ROW = replace(
    ROWS["one-redis"],
    figures=(
        Figure(name="tasks/s", more_is_better=True, goal=Goal(ratio=1.0)),
        Figure(name="peak MB", goal=Goal(ratio=0.8, beside="huey")),
        Figure(name="lag", goal=Goal(value=20.0)),
    ),
)
_ROUNDS = [
    {"hueyio": {"tasks/s": 900.0, "peak MB": 50.0, "lag": 19.0}, "huey": {"tasks/s": 300.0, "peak MB": 40.0},
     "saq": {"tasks/s": 1000.0, "peak MB": 10.0}, "hueyio uvloop": {"tasks/s": 2000.0}, "arq": {}},
    # The machine was slower, for everybody.
    {"hueyio": {"tasks/s": 90.0, "peak MB": 50.0, "lag": 21.0}, "huey": {"tasks/s": 30.0, "peak MB": 40.0},
     "saq": {"tasks/s": 100.0, "peak MB": 10.0}},
]  # fmt: skip


def test_ratios_are_taken_within_a_round_when_the_machine_changes_its_speed() -> None:
    speed, *_ = judge(_ROW, _ROUNDS)
    assert speed.ratios["huey"] == pytest.approx(3.0)
    assert speed.best == "saq"
    assert speed.ratios["saq"] == pytest.approx(0.9)
    assert speed.is_met is False, "hueyio in another way is no other library"


def test_goal_is_judged_when_it_is_a_value_or_beside_one_library() -> None:
    _, memory, lag = judge(_ROW, _ROUNDS)
    assert memory.ratios["huey"] == pytest.approx(0.8)
    assert memory.is_met is True, "the goal is beside Huey, not beside the best"
    assert lag.is_met is True, "the median of 19 and 21"
    assert judge(_ROW, [{"hueyio": {"tasks/s": 1.0}}])[0].is_met is None
    assert judge(_ROW, [{"huey": {"tasks/s": 1.0}}]) == []
    assert [one.is_met for one in judge(_ROW, [{"hueyio": {}, "huey": {"tasks/s": 1.0}}])] == [False, False, False]


def test_tables_show_every_contender_when_they_are_written() -> None:
    verdicts = judge(_ROW, _ROUNDS)
    assert "0.90 x saq" in to_text(verdicts)
    line = to_markdown(verdicts).splitlines()[2]
    assert line.startswith(
        "| `await add(i)`, one after another, Redis | tasks/s | 495 | saq, 550 | 0.90 | 1.00 x | missed"
    )


def test_each_row_has_hueyio_and_somebody_whose_figures_are_compared() -> None:
    for row in ROWS.values():
        everybody = contenders_of(row, ("huey", "saq", "streaq", "taskiq", "dramatiq", "arq"), ("uvloop",))
        assert [it.name for it in everybody][:2] == (["hueyio", "hueyio uvloop"] if len(everybody) > 1 else ["hueyio"])
        assert row.kind == "redis" or {it.library for it in everybody} <= {"hueyio", "huey"}


def test_samples_are_kept_when_a_run_goes_on_and_forgotten_when_the_code_is_another(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    samples = Samples.read(file)
    samples.begin({"cores": "2"}, 1.0)
    samples.of("one-redis", 1, "this code")["hueyio"] = {"tasks/s": 1.0}
    samples.write()
    again = Samples.read(file)
    again.begin({"cores": "2"}, 1.0)
    assert again.of("one-redis", 1, "this code") == {"hueyio": {"tasks/s": 1.0}}
    assert again.rounds_of("one-redis") == [{"hueyio": {"tasks/s": 1.0}}]
    assert again.of("one-redis", 1, "other code") == {}
    again.begin({"cores": "2"}, 0.1)
    assert again.rounds_of("one-redis") == []
