"""Options of a worker, from the command line and the environment."""

from __future__ import annotations

import argparse
import os

import pytest

from hueyio.consumer import ConsumerOptions
from hueyio.exceptions import ConfigurationError
from hueyio.worker.arguments import Arguments, add_options, read_arguments
from hueyio.worker.options import OBSOLETE, WorkerOptions


def read(*line: str, **environment: str) -> Arguments:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return read_arguments(parser.parse_args(line), environment, ["worker", *line])


def test_option_that_is_not_given_is_left_to_its_default() -> None:
    assert read("app:huey").limits == {}
    assert read("app:huey").worker == WorkerOptions()


def test_defaults_are_those_that_the_page_of_the_command_line_says() -> None:
    found = read("app:huey")
    limits, worker = ConsumerOptions(**found.limits), found.worker
    cpus = os.cpu_count() or 1
    assert limits.sizes == {"loop": 100, "thread": min(32, cpus + 4), "process": cpus}
    assert (limits.lease, limits.shutdown_timeout, limits.periodic) == (15, 30, True)
    assert (limits.pool_max_tasks, limits.prefetch, limits.block_warning, limits.max_block) == (None, None, 0.5, 300)
    assert (worker.processes, worker.max_tasks, worker.max_memory, worker.weights) == (1, None, None, None)
    assert (worker.graceful_signal, worker.flush_locks, worker.extra_locks, worker.health) == (None, False, None, None)
    assert (worker.loop, worker.reload, worker.logfile, worker.log_format) == ("auto", False, None, "text")
    assert (worker.simple, worker.verbose, worker.quiet) == (False, False, False)


@pytest.mark.parametrize(
    ("line", "coroutines", "threads"),
    [("-w 50", 50, 50), ("-w 5000", 5000, 256), ("-w 50 --threads 8", 50, 8), ("--threads 400", 100, 400)],
)
def test_workers_bound_sync_tasks_too_unless_threads_are_given(line: str, coroutines: int, threads: int) -> None:
    sizes = ConsumerOptions(**read("app:huey", *line.split()).limits).sizes
    assert (sizes["loop"], sizes["thread"]) == (coroutines, threads)


def test_graceful_signal_is_one_of_two() -> None:
    assert read("app:huey", "-g", "TERM").worker.graceful_signal == "TERM"
    with pytest.raises(SystemExit) as refused:
        read("app:huey", "-g", "HUP")
    assert refused.value.code == 2
    with pytest.raises(ConfigurationError, match="graceful_signal must be INT or TERM"):
        read("app:huey", HUEYIO_GRACEFUL_SIGNAL="HUP")


@pytest.mark.parametrize(("text", "expected"), [("1", False), ("0", True)])
def test_variable_of_an_option_that_turns_off_has_its_long_name(text: str, expected: bool) -> None:
    assert read("app:huey", HUEYIO_NO_PERIODIC=text).limits == {"periodic": expected}
    assert read("app:huey", "-n").limits == {"periodic": False}


def test_environment_is_read_and_the_command_line_wins() -> None:
    both = {"HUEYIO_WORKERS": "7", "HUEYIO_LEASE": "2.5", "HUEYIO_QUIET": "yes", "HUEYIO_LOG_FORMAT": "json"}
    found = read("app:huey", "-w", "9", **both)
    assert found.limits == {"workers": 9, "lease": 2.5}
    assert (found.worker.quiet, found.worker.log_format) == (True, "json")


@pytest.mark.parametrize(
    ("variable", "text"),
    [("HUEYIO_WORKERS", "many"), ("HUEYIO_LEASE", "soon"), ("HUEYIO_QUIET", "perhaps"), ("HUEYIO_PROCESSES", "1.5")],
)
def test_variable_that_cannot_be_read_is_named(variable: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} must be"):
        read("app:huey", **{variable: text})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--processes", "0"], "processes must be"),
        (["--max-tasks", "0"], "max_tasks must be"),
        (["--max-memory", "0"], "max_memory must be"),
        (["--health", "8080"], "HOST:PORT"),
        (["--health", "h:99999"], "HOST:PORT"),
        (["--weights", "1,x"], "numbers > 0"),
        (["-w", "0"], "workers must be"),
    ],
)
def test_value_that_makes_no_sense_is_refused(options: list[str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read("app:huey", *options)


@pytest.mark.parametrize("gone", OBSOLETE, ids=lambda gone: gone.flags[0])
def test_option_of_hueys_that_makes_no_sense_any_more_says_why(gone: object) -> None:
    (flag, long_flag), value = gone.flags, ["1"] if gone.takes_value else []  # type: ignore[attr-defined]
    for each in (flag, long_flag):
        (remark,) = read("app:huey", each, *value).remarks
        assert f"{flag}/{long_flag} does nothing any more: " in remark


def test_workers_are_shared_by_weight() -> None:
    assert read("a:h", "b:h", "--weights", "3,1").worker.shares(2) == [0.75, 0.25]
    assert read("a:h", "b:h").worker.shares(2) == [0.5, 0.5]
    with pytest.raises(ConfigurationError, match="2 apps, but 3 weights"):
        read("a:h", "b:h", "--weights", "3,1,1").worker.shares(2)


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ([], False),
        (["--processes", "2"], True),
        (["-M", "5"], True),
        (["--max-memory", "100"], True),
        (["--reload"], True),
    ],
)
def test_supervisor_is_there_only_where_one_is_needed(options: list[str], needs: bool) -> None:
    assert read("app:huey", *options).needs_supervisor is needs
    assert not read("app:huey", *options, HUEYIO_SUPERVISOR_FD="3").needs_supervisor


def test_each_process_serves_its_probes_at_a_port_of_its_own() -> None:
    found = read("app:huey", "--processes", "2", "--health", "127.0.0.1:8000")
    assert "127.0.0.1:8001" not in found.for_child(0)
    again = read(*found.for_child(1)[1:])
    assert again.worker.health_address() == ("127.0.0.1", 8001)


@pytest.mark.parametrize(
    ("said", "host"),
    [(":8080", "127.0.0.1"), ("localhost:8080", "localhost"), ("0.0.0.0:8080", "0.0.0.0"), ("[::]:8080", "::")],
)
def test_probes_are_for_this_machine_unless_other_interfaces_are_written(said: str, host: str) -> None:
    assert read("app:huey", "--health", said).worker.health_address() == (host, 8080)


def test_extra_locks_imply_flushing() -> None:
    assert read("app:huey").worker.locks() is None
    assert read("app:huey", "-f").worker.locks() == []
    assert read("app:huey", "-L", "a, b").worker.locks() == ["a", "b"]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("HUEYIO_WORKER", "HUEYIO_WORKERS"), ("HUEYIO_THREAD", "HUEYIO_THREADS"), ("HUEYIO_LEASES", "HUEYIO_LEASE")],
)
def test_variable_that_is_like_one_of_an_option_is_named_at_the_start(variable: str, meant: str) -> None:
    (remark,) = read("app:huey", **{variable: "5"}).remarks
    assert remark == f"{variable} is no option, and does nothing; did you mean {meant}?"


def test_variable_of_somebody_else_is_left_alone() -> None:
    others = ("HUEYIO_APP", "HUEYIO_URL", "HUEYIO_QUEUE", "HUEYIO_TEST_SCALE", "HUEYIO_DASHBOARD", "HUEYIO_WORKERS")
    assert read("app:huey", **dict.fromkeys(others, "5")).remarks == []
