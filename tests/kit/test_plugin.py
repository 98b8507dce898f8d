"""The fixtures for pytest, in suites of their own: with pytest-asyncio, with anyio's plugin, and without a loop."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

APP = """
from hueyio import SqliteHuey

huey = SqliteHuey("shop", filename="/there/is/no/such/folder/shop.db")
other = SqliteHuey("other", filename="/there/is/no/such/folder/other.db")

@huey.task()
async def add(a: int, b: int) -> int:
    return a + b

@other.task()
async def fail() -> None:
    raise ValueError("no")
"""

TESTS = """
import pytest
from app import add, fail, huey

def test_without_a_loop(huey_queue):
    result = add.sync(1, 2)
    huey_queue.assert_enqueued(add, args=(1, 2))
    assert [it.value for it in huey_queue.sync.drain()] == [3]
    assert result.get() == 3

def test_queue_is_empty_again(huey_queue):
    assert huey_queue.enqueued() == []

@pytest.mark.asyncio
async def test_with_pytest_asyncio(huey_queue):
    await add(1, 2)
    assert [it.value for it in await huey_queue.drain()] == [3]

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_anyio(huey_queue, anyio_backend):
    await add(1, 2)
    assert [it.value for it in await huey_queue.advance(days=1)] == [3]

def test_inline(huey_inline):
    assert huey_inline is huey
    assert add.sync(1, 2).get() == 3

@pytest.mark.asyncio
async def test_inline_raises(huey_inline):
    assert await (await add(1, 2)) == 3
    with pytest.raises(ValueError, match="no"):
        await fail()

def test_afterwards_all_is_as_it_was():
    assert "such/folder/shop.db" in str(huey.storage)
    assert not huey.immediate and not huey.raise_errors
"""

LOOPS = ("-o", "asyncio_default_fixture_loop_scope=function")

SETTINGS = """
[pytest]
hueyio_app = app:huey app:other
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(app=APP, test_app=TESTS)
    monkeypatch.delenv("HUEYIO_APP", raising=False)
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run a suite; the plugin is there because hueyio is installed."""
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *LOOPS, *arguments)


def test_fixtures_work_in_every_kind_of_test(suite: pytest.Pytester) -> None:
    suite.makefile(".ini", pytest=SETTINGS)
    result = run(suite)
    result.assert_outcomes(passed=7)


def test_app_is_found_in_pyproject_or_said_by_a_fixture(suite: pytest.Pytester) -> None:
    suite.makefile(".toml", pyproject='[tool.hueyio]\napp = "app:huey"\n')
    suite.makepyfile(
        test_app="""
        from app import add

        def test_app(huey_apps, huey_queue):
            assert [it.name for it in huey_apps] == ["shop"]
        """,
        test_own="""
        import pytest
        from app import other

        @pytest.fixture
        def huey_apps():
            return [other]

        def test_own(huey_apps, huey_queue):
            assert [it.name for it in huey_apps] == ["other"]
        """,
    )
    run(suite).assert_outcomes(passed=2)


def test_error_says_what_to_do_when_no_app_is_named(suite: pytest.Pytester) -> None:
    result = run(suite, "-k", "queue_is_empty")
    result.assert_outcomes(errors=1, deselected=6)
    result.stdout.fnmatch_lines(["*ConfigurationError: which Huey is meant? Say hueyio_app = app:huey*"])
