"""Long pipelines as messages and entries: cut, joined, and what is no pipeline."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueyio import SerializationError, Serializer
from hueyio.messages.entry import NEVER, make_entry
from hueyio.messages.glance import glance_at_path
from hueyio.messages.message import CUT, read_task, write_stages, write_task
from hueyio.storage.records import Entry, Header, Stage
from hueyio.storage.stages import first, header_of_whole, join, split
from hueyio.tasks.task import Task

SERIALIZER = Serializer()

STAGES = st.lists(st.builds(Stage, st.text(), st.binary()), max_size=4)


def make_pipeline(*ids: str) -> Task:
    head, *later = [Task(f"app.{id}", (id,), id=id) for id in ids]
    for stage in later:
        head.then(stage)
    return head


def entry_of(task: Task) -> Entry:
    return make_entry(task, None, SERIALIZER, 0.0)


def ids_of(task: Task) -> list[str]:
    return [stage.id for stage in task.stages()]


@given(st.text(), st.binary().map(lambda it: b"\x80" + it), STAGES.filter(bool))
def test_whatever_is_joined_is_split_again(id: str, data: bytes, stages: list[Stage]) -> None:
    whole = join(id, data, stages)
    assert split(whole) == [Stage(id, data), *stages]
    assert first(whole) == data
    assert join(id, whole, stages) == whole
    assert header_of_whole(Header(id, expects=("x",)), whole).expects == tuple(stage.id for stage in stages)
    for length in range(len(whole)):
        first(whole[:length])


def test_message_without_later_stages_is_left_alone() -> None:
    assert join("a", b"data", ()) == b"data"
    assert split(b"data") is None
    assert first(b"data") == b"data"
    assert header_of_whole(Header("a", expects=("b",)), b"data").expects == ("b",)


def test_pipeline_is_cut_from_eight_later_stages_on() -> None:
    short, long = make_pipeline(*"abcdefgh"), make_pipeline(*"abcdefghi")
    assert (entry_of(short).header.expects, entry_of(short).stages) == (tuple("bcdefgh"), ())
    entry = entry_of(long)
    assert entry.header.expects == ("b",)
    assert [stage.id for stage in entry.stages] == list("bcdefghi")
    whole = make_entry(long, None, SERIALIZER, 0.0, cut_from=NEVER)
    assert (whole.header.expects, whole.stages) == (tuple("bcdefghi"), ())


def test_pipeline_with_an_id_twice_stays_one_message() -> None:
    entry = entry_of(make_pipeline(*"abcdefghib"))
    assert entry.stages == ()
    assert ids_of(read_task(entry.data, SERIALIZER)) == list("abcdefghib")


def test_cut_stage_knows_the_next_one_and_no_more() -> None:
    entry = entry_of(make_pipeline(*"abcdefghi"))
    alone = read_task(entry.data, SERIALIZER, "a")
    assert (alone.path, alone.is_cut, ids_of(alone)) == ("app.a", True, ["a", "b"])
    task = read_task(entry.data, SERIALIZER, "a", entry.stages[0].data)
    following = task.on_complete
    assert following is not None
    assert (following.path, following.args, following.is_cut) == ("app.b", ("b",), True)
    assert ids_of(task) == ["a", "b", "c"]
    last = read_task(entry.stages[-1].data, SERIALIZER, "i")
    assert (last.path, last.is_cut, last.on_complete) == ("app.i", False, None)


def test_next_stage_is_written_as_it_was_cut() -> None:
    entry = entry_of(make_pipeline(*"abcdefghi"))
    following = read_task(entry.data, SERIALIZER, "a", entry.stages[0].data).on_complete
    assert following is not None
    turn = entry_of(following.extended("value"))
    assert (turn.header.expects, turn.stages) == (("c",), ())
    task = read_task(turn.data, SERIALIZER, "b", entry.stages[1].data)
    assert (task.args, ids_of(task)) == (("b", "value"), ["b", "c", "d"])
    retry = entry_of(task.replaced(attempt=1))
    assert (retry.header.expects, retry.header.attempt) == (("c",), 1)


def test_earlier_hueyio_takes_a_cut_stage_for_a_task_that_nobody_has_declared() -> None:
    entry = entry_of(make_pipeline(*"abcdefghi"))
    for data in (entry.data, *(stage.data for stage in entry.stages[:-1])):
        assert pickle.loads(data)[2].startswith(CUT)
    assert pickle.loads(entry.stages[-1].data)[2] == "app.i"


def test_pipeline_in_one_piece_is_read_as_it_was_made() -> None:
    head = make_pipeline(*"abcdefghi")
    data, stages = write_stages(head, SERIALIZER)
    whole = read_task(join("a", data, stages), SERIALIZER, "a")
    assert ids_of(whole) == list("abcdefghi")
    assert [stage.args for stage in whole.stages()] == [stage.args for stage in head.stages()]
    assert not any(stage.is_cut for stage in whole.stages())
    assert entry_of(whole).stages == stages


def test_pipeline_of_any_length_is_one_message_where_it_has_to_be() -> None:
    head = make_pipeline(*map(str, range(1100)))
    assert ids_of(read_task(write_task(head, SERIALIZER), SERIALIZER)) == ids_of(head)
    assert len(ids_of(head.renewed(None, None, None, True))) == 1100


@pytest.mark.parametrize("what", ["missing", "exchanged", "cut short", "no lengths", "nothing", "another head"])
def test_pipeline_that_does_not_fit_together_is_refused(what: str) -> None:
    data, stages = write_stages(make_pipeline(*"abcdefghi"), SERIALIZER)
    others = write_stages(make_pipeline(*"xyz"), SERIALIZER)[1]
    joined = {
        "missing": join("a", data, stages[:-1]),
        "exchanged": join("a", data, (others[0], *stages[1:])),
        "cut short": join("a", data, stages)[:-1],
        "no lengths": join("a", data, stages) + b"-1:-1:",
        "nothing": join("", b"", [Stage("", b"")]).partition(b"0:")[0],
        "another head": join("b", data, stages),
    }
    with pytest.raises(SerializationError):
        read_task(joined[what], SERIALIZER)


def test_name_of_a_cut_stage_is_read_without_its_code() -> None:
    entry = entry_of(make_pipeline(*"abcdefghi"))
    assert glance_at_path(entry.data, "a") == "app.a"
    whole = join("a", entry.data, entry.stages)
    assert glance_at_path(whole, "a") == "app.a"
    assert glance_at_path(whole[:200], "a") == "app.a"
