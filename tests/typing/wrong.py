"""Uses that are wrong, and that mypy must refuse: each line needs its ignore, or ``warn_unused_ignores`` fails."""

from __future__ import annotations

from hueyio import MemoryHuey

huey = MemoryHuey()


@huey.task
async def add(a: int, b: int) -> int:
    return a + b


@huey.task(retries=3)
def double(a: int) -> int:
    return 2 * a


async def main() -> None:
    await add(1, "x")  # type: ignore[arg-type]
    await add(1)  # type: ignore[call-arg]
    await add.options(delay=1)(1, "x")  # type: ignore[arg-type]
    await double("x")  # type: ignore[arg-type]
    text: str = await (await add(1, 2))  # type: ignore[assignment]
    number: int = await add(1, 2)  # type: ignore[assignment]
    value: int = await (await double(1)).get()  # type: ignore[assignment]
    numbers: list[str] = await (await add.map([(1, 2)]))  # type: ignore[assignment]
    print(text, number, value, numbers)
