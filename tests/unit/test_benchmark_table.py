"""How the table of the benchmarks is put together: which figures are compared, which goals are met, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("benchmarks", reason="the source distribution has no benchmarks")

from benchmarks.contenders import ALL_PEERS
from benchmarks.page import put
from benchmarks.postgres_rows import POSTGRES_ROWS
from benchmarks.rows import ROWS, Figure, Goal, contenders_of
from benchmarks.samples import Samples
from benchmarks.scale_report import Run, Sizes, Stretch
from benchmarks.scale_report import to_markdown as scale_to_markdown
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


def test_goal_beside_each_of_several_is_met_when_it_is_met_beside_all_that_were_measured() -> None:
    goal = Goal(ratios={"huey": 2.0, "saq": 0.8, "oban": 9.0})
    row = replace(_ROW, figures=(replace(_ROW.figures[0], goal=goal),))
    (verdict,) = judge(row, _ROUNDS)
    assert verdict.is_met is True, "3.0 times huey, 0.9 times saq; oban was not measured"
    assert "2.00 x huey, 0.80 x saq, 9.00 x oban" in to_text([verdict])
    (stricter,) = judge(replace(row, figures=(replace(row.figures[0], goal=Goal(ratios={"saq": 1.0})),)), _ROUNDS)
    assert stricter.is_met is False


def test_tables_show_every_contender_when_they_are_written() -> None:
    verdicts = judge(_ROW, _ROUNDS)
    assert "0.90 x saq" in to_text(verdicts)
    line = to_markdown(verdicts).splitlines()[2]
    assert line.startswith(
        "| `await add(i)`, one after another, Redis | tasks/s | 495 | saq, 550 | 0.90 | 1.00 x | missed"
    )


def test_each_row_has_hueyio_and_somebody_whose_figures_are_compared() -> None:
    for row in (*ROWS.values(), *POSTGRES_ROWS.values()):
        everybody = contenders_of(row, ALL_PEERS, ("uvloop",))
        assert [it.name for it in everybody][:2] == (["hueyio", "hueyio uvloop"] if len(everybody) > 1 else ["hueyio"])
        assert row.kind != "sqlite" or {it.library for it in everybody} <= {"hueyio", "huey"}


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


def test_report_of_very_many_tasks_shows_large_tables_and_how_much_costs_rise() -> None:
    stretches = [
        Stretch(until=1_000_000, rate=9_000.0, cpu=20.0, pages=40.0, wal=1_100.0),
        Stretch(until=10_000_000, rate=8_000.0, cpu=22.0, pages=44.0, wal=1_150.0),
    ]
    sizes = [Sizes("before", 3_000_000, {"tasks": (5_000_000, 2_500_000), "beats": (8_192, 16_384)})]
    told = scale_to_markdown(Run(10_000_000, stretches, sizes), "PostgreSQL 18", 60.0)
    assert "| 10,000,000 | 8,000 | 22.0 | 44.0 | 1,150 |" in told
    assert "CPU by 10% and pages by 10%" in told
    assert "| before | 3,000,000 | 5.0 + 2.5 | 0.0 | 7.5 |" in told


def test_each_command_writes_between_its_own_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- written by `python -m benchmarks {} --write` -->\n\n<!-- end of what is written -->\n"
    page.write_text("".join(marks.format(command) for command in ("table", "postgres", "scale")))
    put(page, "postgres", "first")
    put(page, "postgres", "second")
    put(page, "scale", "third")
    text = page.read_text()
    assert [word for word in ("first", "second", "third") if word in text] == ["second", "third"]
    assert (
        text.index("benchmarks postgres") < text.index("second") < text.index("benchmarks scale") < text.index("third")
    )
    with pytest.raises(SystemExit, match="no place for what `due` writes"):
        put(page, "due", "fourth")
