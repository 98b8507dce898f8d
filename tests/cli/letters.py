"""Tasks that ended without success, as a consumer leaves them."""

from __future__ import annotations

from collections.abc import Sequence

from hueyio.storage.contract import Session
from hueyio.storage.records import Burial, Bury, EndKind
from tests.cli.shop import Shop

__all__ = ["bury_tasks"]

_FAILED = ("failed", "expired", "cancelled")


def bury_tasks(
    shop: Shop, count: int = 1, *, kind: EndKind = "failed", reason: str = "KeyError('tea')", ids: Sequence[str] = ()
) -> list[str]:
    """Let calls of ``mail``, and what else is ready in its lane, end in this way; return the ids of the calls."""
    named = [*ids, *[None] * (count - len(ids))]
    ended = shop.put(*(shop.module.mail.options(id=id).s("you") for id in named))

    async def settle(session: Session) -> None:
        await session.register("undertaker", b"{}")
        taken = await session.claim({"loop": 1000}, "undertaker")
        into: Burial = "failed" if kind in _FAILED else "dead"
        burials = [Bury(it.receipt, reason, b"error", kind=kind, into=into, name="shop.mail") for it in taken]
        assert set(await session.settle(burials, "undertaker", 1)) == {"accepted"}
        await session.deregister("undertaker")

    shop.on_session(settle)
    return ended
