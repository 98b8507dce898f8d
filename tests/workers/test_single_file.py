"""One file that a program runs as a script and a worker imports: tasks and classes are the same in both."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

APP = """
import asyncio, enum
from dataclasses import dataclass
from hueyio import SqliteHuey, TaskException

HUEY
print("run as", __name__)

@dataclass
class Order:
    number: int

class Size(enum.Enum):
    SMALL = 1

class TooMany(Exception): ...

class Shop:
    @dataclass
    class Shelf:
        orders: list

def twice(number):
    return 2 * number

@huey.task
async def double(order, function=twice):
    assert type(order) is Order
    return Order(function(order.number))

@huey.task(run_in="process")
def pack(shelf, size):
    assert size is Size.SMALL
    return Shop.Shelf([*shelf.orders, Order(9)])

@huey.task
def fail():
    raise TooMany(3)

@huey.task
async def number_of(order):
    return order.number

async def main():
    async with huey:
        doubled = await (await double(Order(4), twice))
        packed = await (await pack(Shop.Shelf([Order(4)]), Size.SMALL))
        await huey.put("key", Order(5))
        value = await huey.get("key")
        try:
            await (await fail())
        except TaskException as error:
            cause = error.__cause__
        numbers = await (await huey.enqueue(double.s(Order(1)).then(number_of)))
    print(doubled == Order(8), packed == Shop.Shelf([Order(4), Order(9)]), value == Order(5), type(cause) is TooMany)
    print(double.path, numbers[-1])

if __name__ == "__main__":
    asyncio.run(main())
"""


@contextmanager
def worker(folder: Path, app: str) -> Iterator[None]:
    command = [sys.executable, "-m", "hueyio", "worker", app]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("file", "arguments", "module"),
    [
        ("app.py", ["app.py"], "app"),
        pytest.param(
            "shop/app.py", ["-m", "shop.app"], "shop.app", marks=pytest.mark.again("only the name is found elsewhere")
        ),
        pytest.param(
            "shop/app.py", ["shop/app.py"], "shop.app", marks=pytest.mark.again("only the name is found elsewhere")
        ),
    ],
)
def test_script_and_worker_share_tasks_and_classes_of_one_file(
    file: str, arguments: list[str], module: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(APP.replace("HUEY", f"huey = SqliteHuey('shop', filename={str(tmp_path / 'app.db')!r})"))
    if path.parent != tmp_path:
        (path.parent / "__init__.py").touch()
    with worker(tmp_path, f"{module}:huey"):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "run as __main__",  # once: reading what the worker returned does not import the file
        "True True True True",
        f"{module}.double 2",
    ]


IMPORTED = """
from dataclasses import dataclass
from hueyio import MemoryHuey

huey = MemoryHuey("shop")

@dataclass
class Order:
    number: int

@huey.task
def number_of(order): ...

if __name__ == "__main__":
    import app
    huey.sync.put("key", app.Order(5))
    print(type(huey.sync.get("key")) is app.Order)
"""


def test_script_that_is_imported_beside_gets_back_the_classes_that_it_stored(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(IMPORTED)
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
