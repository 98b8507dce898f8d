"""An app with models, whose tasks run in each lane; the tests and the pool processes import it alike."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from pydantic import BaseModel, Field

import hueyio
from hueyio import Error, Task

huey: hueyio.Huey = eval(os.environ.get("HUEYIO_TEST_HUEY", "hueyio.MemoryHuey('typed')"))


class Way(Enum):
    CARD = "card"
    CASH = "cash"


@dataclass
class Line:
    sku: str
    price: Decimal


@dataclass
class Order:
    id: UUID
    lines: list[Line] = field(default_factory=list)
    at: datetime | None = None


class Receipt(BaseModel):
    order: UUID
    total: Decimal = Field(ge=0)
    way: Way


@huey.task
async def charge(order: Order, way: Way = Way.CARD) -> Receipt:
    assert isinstance(order, Order)
    return Receipt(order=order.id, total=sum((line.price for line in order.lines), Decimal(0)), way=way)


@huey.task
def remind(receipt: Receipt, *, after: timedelta = timedelta(days=1)) -> datetime:
    assert isinstance(receipt, Receipt)
    return datetime(2026, 1, 2, tzinfo=UTC) + after


@huey.task(run_in="process", context=True)
def archive(task: Task, order: Order) -> tuple[int, Order]:
    assert isinstance(order, Order)
    return os.getpid(), order


@huey.task
async def add_up(currency: str, receipts: list[Receipt | Error]) -> str:
    paid = [it for it in receipts if isinstance(it, Receipt)]
    return f"{sum(it.total for it in paid)} {currency}, {len(receipts) - len(paid)} failed"


@huey.task
async def refuse(order: Order) -> Receipt:
    raise ValueError(f"no {order.lines[0].sku}")
