"""The metrics of a worker, and what in ``contrib`` is made of them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import prometheus_client as client
import pytest

from hueyio import Huey, MemoryHuey, TaskException
from hueyio.consumer import Consumer
from hueyio.worker.metrics import make_metrics
from hueyio.worker.status import Status

CONTRIB: Final = Path(__file__).parents[2] / "contrib"
_NAME: Final = re.compile(r"\bhueyio_\w+")


async def scrape(*consumers: tuple[Huey, Consumer]) -> dict[str, float]:
    """Return the samples of a process with these consumers, by name and labels."""
    metrics = make_metrics(Status(asyncio.get_running_loop(), consumers))
    _, body = await asyncio.to_thread(metrics)
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def declare(huey: Huey) -> tuple[Any, Any]:
    @huey.task(name="good")
    async def good() -> int:
        return 1

    @huey.task(name="bad")
    async def bad() -> None:
        raise ValueError("no")

    return good, bad


async def test_metrics_by_name_say_how_tasks_ended_and_how_long_they_took() -> None:
    huey = MemoryHuey("q")
    good, bad = declare(huey)
    async with huey, huey.create_consumer() as consumer:
        for _ in range(3):
            await (await good())
        with pytest.raises(TaskException):
            await (await bad())
        found = await scrape((huey, consumer))
    task = f'queue="q",task="{good.path}"'
    assert found[f'hueyio_tasks_ended_total{{end="done",{task}}}'] == 3
    assert found[f'hueyio_tasks_ended_total{{end="failed",queue="q",task="{bad.path}"}}'] == 1
    for metric in ("run", "wait"):
        buckets = [
            it
            for name, it in found.items()
            if name.startswith(f"hueyio_task_{metric}_seconds_bucket{{") and task in name
        ]
        assert buckets == sorted(buckets)
        assert buckets[-1] == found[f"hueyio_task_{metric}_seconds_count{{{task}}}"] == 3
        assert 0 < found[f"hueyio_task_{metric}_seconds_sum{{{task}}}"] < 60
    assert f'hueyio_task_run_seconds_bucket{{le="0.000256",{task}}}' in found


async def test_metrics_of_a_queue_are_said_by_one_consumer() -> None:
    huey = MemoryHuey("q")
    good, _ = declare(huey)
    async with huey, huey.create_consumer() as first:
        await huey.pause()
        await good()
        async with huey.create_consumer() as second:
            of_first, of_second = await scrape((huey, first)), await scrape((huey, second))
            assert of_first['hueyio_queue_consumers{queue="q"}'] == 2
            assert of_first['hueyio_queue_tasks{queue="q",state="ready"}'] == 1
            assert 0 <= of_first['hueyio_queue_oldest_seconds{lane="loop",queue="q"}'] < 60
            assert of_first['hueyio_queue_oldest_seconds{lane="thread",queue="q"}'] == 0
            assert not [name for name in of_second if name.startswith("hueyio_queue")]
            assert of_second['hueyio_tasks_held{queue="q"}'] == 0
        await huey.resume()


async def test_metrics_of_the_application_are_served_too() -> None:
    shop = client.Counter("shop_orders", "Orders of a test")
    shop.inc(7)
    broken = _Broken()
    try:
        assert (await scrape())["shop_orders_total"] == 7
        client.REGISTRY.register(broken)
        broken.is_broken = True
        assert "hueyio_memory_bytes" in await scrape()
    finally:
        client.REGISTRY.unregister(shop)
        client.REGISTRY.unregister(broken)


class _Broken:
    is_broken = False

    def collect(self) -> Iterator[Any]:
        if self.is_broken:
            raise ValueError("a defect of the application")
        return iter(())


async def test_board_and_rules_use_metrics_that_there_are() -> None:
    huey = MemoryHuey("q")
    good, _ = declare(huey)
    async with huey, huey.create_consumer() as consumer:
        await (await good())
        known = {re.split(r"[{ ]", name)[0] for name in await scrape((huey, consumer))}
    rules = import_module("yaml").safe_load((CONTRIB / "prometheus" / "hueyio.rules.yml").read_text())
    board = json.loads((CONTRIB / "grafana" / "hueyio.json").read_text())
    texts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    texts += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(texts) > 20
    used = {name for text in texts for name in _NAME.findall(text)}
    assert used
    assert used <= known
    assert len({rule["alert"] for group in rules["groups"] for rule in group["rules"]}) == 7
    cells = [(it["gridPos"]["x"] + x, it["gridPos"]["y"] + y) for it in board["panels"] for x in range(it["gridPos"]["w"]) for y in range(it["gridPos"]["h"])]  # fmt: skip  # noqa: E501
    assert len(cells) == len(set(cells))
