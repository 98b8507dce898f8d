"""``huey.lifespan`` in the web frameworks that take one: it opens, consumes, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from fastapi import FastAPI
from litestar import Litestar
from quart import Quart
from starlette.applications import Starlette

from hueyio import ConfigurationError, SqliteHuey, blocking
from hueyio.testing import HueyQueue, run_inline

Lifespan: TypeAlias = Callable[[object], AbstractAsyncContextManager[None]]


def in_starlette(lifespan: Lifespan) -> AbstractAsyncContextManager[Any]:
    app = Starlette(lifespan=lifespan)
    return app.router.lifespan_context(app)


def in_fastapi(lifespan: Lifespan) -> AbstractAsyncContextManager[Any]:
    app = FastAPI(lifespan=lifespan)
    return app.router.lifespan_context(app)


def in_litestar(lifespan: Lifespan) -> AbstractAsyncContextManager[Any]:
    return Litestar(lifespan=[lifespan]).lifespan()


@asynccontextmanager
async def in_quart(lifespan: Lifespan) -> AsyncIterator[None]:
    app = Quart(__name__)

    @app.while_serving
    async def serve() -> AsyncGenerator[None, None]:
        async with lifespan(app):
            yield

    async with app.test_app():
        yield


IN_EACH = pytest.mark.parametrize("serve", [in_starlette, in_fastapi, in_litestar, in_quart])


@pytest.fixture
def huey(tmp_path: Path) -> SqliteHuey:
    huey = SqliteHuey("site", filename=str(tmp_path / "site.db"))

    @huey.task(name="double")
    async def double(n: int) -> int:
        return 2 * n

    return huey


# Whether all is closed afterwards the fixture of all tests says: a session that is open has a thread.


@IN_EACH
async def test_application_runs_its_own_tasks_while_it_serves(huey: SqliteHuey, serve: Any) -> None:
    async with serve(huey.lifespan_with_consumer(workers=2, threads=1)):
        assert len(await huey.consumers()) == 1
        assert await (await huey.enqueue_by_name(f"{__name__}.double", 4)) == 8
    async with huey:
        assert await huey.consumers() == []


@IN_EACH
async def test_application_opens_and_closes_the_queue_alone(huey: SqliteHuey, serve: Any) -> None:
    async with serve(huey.lifespan):
        await huey.enqueue_by_name(f"{__name__}.double", 4)
        assert (await huey.consumers(), await huey.count()) == ([], 1)


async def test_lifespan_stands_inside_of_another_without_an_application(huey: SqliteHuey) -> None:
    async with huey.lifespan():
        assert await huey.count() == 0


async def test_blocking_huey_is_consumed_in_the_loop_of_the_application(tmp_path: Path) -> None:
    huey = blocking.SqliteHuey("site", filename=str(tmp_path / "site.db"))

    @huey.task()
    def double(n: int) -> int:
        return 2 * n

    async with huey.lifespan_with_consumer(threads=1)(None):
        assert await (await double.aio(4)) == 8


async def test_consumer_is_left_out_where_a_test_runs_the_tasks(huey: SqliteHuey) -> None:
    serve = huey.lifespan_with_consumer(workers=2)
    with HueyQueue(huey) as queue:
        async with serve(None):
            result = await huey.enqueue_by_name(f"{__name__}.double", 4)
            assert await result.status() == "ready"
            assert [ran.value for ran in await queue.drain()] == [8]
            assert await huey.consumers() == []
    with run_inline(huey):
        async with serve(None):
            assert await (await huey.enqueue_by_name(f"{__name__}.double", 4)) == 8


def test_mistake_in_an_option_is_found_where_it_is_written(huey: SqliteHuey) -> None:
    with pytest.raises(ConfigurationError, match="a consumer has no option 'wrokers'; did you mean 'workers'"):
        huey.lifespan_with_consumer(wrokers=3)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="workers"):
        huey.lifespan_with_consumer(workers=-1)
