"""Models as arguments and results: a dataclass, a pydantic model, an enumeration, dates and decimals.

``python examples/typed_payloads.py`` runs everything in one process, with the queue in a temporary folder. It needs
``pip install 'hueyio[json]' pydantic``. What comes from outside, such as the body of a request, is read by the model;
what does not fit a task is refused where the task is called.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID, uuid4

from pydantic import BaseModel, Field, TypeAdapter

from hueyio import JSONSerializer, SqliteHuey, TaskArgumentError

huey = SqliteHuey(
    "typed_payloads",
    filename=os.environ.get("TYPED_PAYLOADS_DB") or os.path.join(tempfile.mkdtemp(), "typed_payloads.db"),
    serializer=JSONSerializer(typed=True),
)


class Way(Enum):
    """How somebody pays."""

    CARD = "card"
    INVOICE = "invoice"


class Line(BaseModel):
    """Comes from outside, so that pydantic checks it."""

    sku: str = Field(min_length=1)
    price: Decimal = Field(ge=0)
    count: int = Field(default=1, ge=1)


@dataclass
class Order:
    """Made by the application."""

    lines: list[Line]
    way: Way = Way.CARD
    id: UUID = field(default_factory=uuid4)


@dataclass
class Receipt:
    """What a task returns is read by its annotation too."""

    order: UUID
    total: Decimal
    due: datetime | None


@huey.task
async def charge(order: Order, at: datetime) -> Receipt:
    """Charge an order; an invoice is due two weeks later."""
    total = sum((line.price * line.count for line in order.lines), Decimal(0))
    return Receipt(order.id, total, at + timedelta(weeks=2) if order.way is Way.INVOICE else None)


@huey.task
def remind(receipt: Receipt) -> str:
    """Say what is to be paid: as the second stage of a pipeline it gets what ``charge`` returned."""
    return f"{receipt.total} EUR by {receipt.due:%Y-%m-%d}" if receipt.due else f"{receipt.total} EUR, paid"


async def main() -> None:
    """Call the tasks, and wait for what they return."""
    request = b'[{"sku": "book", "price": "12.50", "count": 2}, {"sku": "pen", "price": "1.10"}]'
    order = Order(TypeAdapter(list[Line]).validate_json(request), way=Way.INVOICE)
    at = datetime(2026, 12, 1, tzinfo=UTC)
    async with huey, huey.create_consumer():
        receipt = await (await charge(order, at))
        print(f"charged: {receipt.total} EUR")
        charged, reminded = await huey.enqueue(charge.s(order, at).then(remind))
        assert await charged == receipt
        print(f"reminded: {await reminded}")
        try:
            await charge(order, "tomorrow")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        except TaskArgumentError as error:
            print(f"refused: {error}")


if __name__ == "__main__":
    asyncio.run(main())
