"""How psycopg reads and writes texts and JSON on our connections."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import adapt, pq
from psycopg.abc import AdaptContext, Buffer
from psycopg.types.json import set_json_loads

from hueyio.storage.postgres.texts import escape, from_json, unescape

__all__ = ["CONTEXT", "Context", "adapt_to_us"]

_TEXT: Final = 25
"""The oid of the type text."""


class _TextDumper(adapt.Dumper):
    format = pq.Format.BINARY
    oid = _TEXT

    def dump(self, obj: str) -> bytes:
        return escape(obj).encode()


class _TextLoader(adapt.Loader):
    format = pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        return unescape(str(data, "utf-8"))


class Context:
    """What connections are made with, so that nobody else's psycopg changes."""

    connection: None = None

    def __init__(self) -> None:
        self.adapters = adapt.AdaptersMap(psycopg.adapters)
        adapt_to_us(self)


def adapt_to_us(context: AdaptContext) -> None:
    """Let a connection or a cursor read and write texts as this package does."""
    context.adapters.register_dumper(str, _TextDumper)
    context.adapters.register_loader("text", _TextLoader)
    set_json_loads(from_json, context)


CONTEXT: Final = Context()
