"""Huey, for a program without any ``async``: the base of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hueyio.app import Huey as AsyncHuey
from hueyio.app.sync_huey import SyncHuey
from hueyio.core import DEFAULT_PUT_BACK_AGE, DEFAULT_RESULT_TTL
from hueyio.serializer import Serializer

__all__ = ["Huey"]


class Huey(SyncHuey):
    """A queue of tasks for a program that blocks: calls enqueue at once, and methods wait. Options as ``hueyio.Huey``.

    ``aio`` is the same Huey for coroutines. What a subclass overrides (``get_storage``, ``build_error_result``) is
    overridden in a subclass of ``hueyio.Huey``, whose ``sync`` is then used in the place of this class.
    """

    __slots__ = ()

    _wrapped: AsyncHuey

    def __init__(
        self,
        name: str = "huey",
        results: bool = True,
        store_none: bool = False,
        utc: bool = True,
        immediate: bool = False,
        serializer: Serializer | None = None,
        compression: bool = False,
        use_zlib: bool = False,
        immediate_use_memory: bool = True,
        storage_class: type[Any] | None = None,
        store_intermediate_errors: bool = True,
        result_ttl: float | None = DEFAULT_RESULT_TTL,
        *,
        raise_errors: bool = False,
        max_put_back_age: float | None = DEFAULT_PUT_BACK_AGE,
        propagate: Sequence[str] = (),
        statistics: bool = True,
        history_args: bool = False,
        **storage_kwargs: Any,
    ) -> None:
        made = AsyncHuey(
            name,
            results,
            store_none,
            utc,
            immediate,
            serializer,
            compression,
            use_zlib,
            immediate_use_memory,
            storage_class,
            store_intermediate_errors,
            result_ttl,
            raise_errors=raise_errors,
            max_put_back_age=max_put_back_age,
            propagate=propagate,
            statistics=statistics,
            history_args=history_args,
            **storage_kwargs,
        )
        super().__init__(made)

    @property
    def aio(self) -> AsyncHuey:
        """The same Huey for coroutines: ``await huey.aio.count()``."""
        return self._wrapped
