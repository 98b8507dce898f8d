"""What storages say of a transaction that a body has, in which its task ends: when it is refused, and why it ended."""

from __future__ import annotations

from typing import NoReturn

from hueyio.exceptions import HueyException, LeaseLost, TransactionTooLong
from hueyio.storage.records import Receipt

__all__ = ["is_over", "not_held", "not_the_same", "refuse", "too_long"]


def not_held(receipt: Receipt) -> LeaseLost:
    """Return the error for a receipt that is not in force."""
    return LeaseLost(
        f"task {receipt.id} is not held by {receipt.owner!r} any more: no transaction of this body can end it"
    )


def too_long(receipt: Receipt, seconds: float) -> TransactionTooLong:
    """Return the error for a block that was open for longer than it may be."""
    return TransactionTooLong(
        f"the transaction of task {receipt.id} was open for more than {seconds:g} s, half a lease, "
        "and was rolled back: do what takes long before it"
    )


def is_over(receipt: Receipt) -> HueyException:
    """Return the error for a block that was left already."""
    return HueyException(f"the transaction of task {receipt.id} is over")


def not_the_same(receipt: Receipt, also: str = "") -> HueyException:
    """Return the error for a transaction that somebody has ended; ``also``: what else may have."""
    return HueyException(
        f"the transaction of task {receipt.id} is not the one that was begun: a statement in the block "
        f"has ended it{also}; let such an error leave the block"
    )


def refuse(what: str) -> NoReturn:
    """Raise the error for what would end the transaction."""
    raise HueyException(
        f"{what} is not for the connection of task.transaction(): leaving the block commits, with the end of the task, "
        "and an exception that leaves it rolls back"
    )
