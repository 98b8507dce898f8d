"""Where a database is, and the schema in it; one URL can say both."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hueyio.exceptions import ConfigurationError
from hueyio.named_tuple import NamedTuple

__all__ = ["DEFAULT_SCHEMA", "Address", "describe", "is_dsn", "is_schema", "read_url"]

DEFAULT_SCHEMA: Final = "hueyio"

_SCHEMA: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,39}")


class Address(NamedTuple):
    """A connection string or URL, as libpq takes it, and the name of a schema."""

    dsn: str
    schema: str

    @property
    def where(self) -> str:
        """The server and the database, for messages; no password."""
        return describe(self.dsn)


def read_url(url: str) -> Address:
    """Read a ``postgresql://`` URL, in which ``?schema=`` may name another schema than ``hueyio``.

    Raises ConfigurationError if libpq could not use it, or the schema cannot be one.
    """
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    schema = dict(query).get("schema", DEFAULT_SCHEMA)
    rest = [(name, value) for name, value in query if name != "schema"]
    # What libpq alone is told is handed on as it is written.
    dsn = urlunsplit(parts._replace(query=urlencode(rest))) if len(rest) < len(query) else url
    if not is_dsn(dsn):
        raise ConfigurationError("this is no URL that PostgreSQL's clients know: postgresql://user@host:5432/database")
    if not is_schema(schema):
        raise ConfigurationError(
            f"schema={schema!r} must be a name of lower-case letters, digits and underscores, of 40 characters at most"
        )
    return Address(dsn, schema)


def describe(dsn: str) -> str:
    """Say in a few words which server and database are meant, without a password."""
    known = conninfo_to_dict(dsn)
    hosts = str(known.get("host") or known.get("hostaddr") or "localhost").split(",")
    ports = str(known.get("port") or "").split(",")
    if len(ports) < len(hosts):
        ports = ports[:1] * len(hosts)
    where = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
    name = known.get("dbname") or known.get("user") or ""
    return f"PostgreSQL at {where}/{name}"


def is_dsn(value: object) -> bool:
    """Say whether libpq can read a connection string or URL; whether anybody is there is another question."""
    if not isinstance(value, str):
        return False
    try:
        conninfo_to_dict(value)
    except psycopg.Error:
        return False
    return True


def is_schema(value: object) -> bool:
    """Say whether this can be the name of a schema; it is written into statements."""
    return isinstance(value, str) and _SCHEMA.fullmatch(value) is not None
