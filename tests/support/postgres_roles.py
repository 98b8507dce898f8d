"""Roles of a PostgreSQL server with the rights that the documentation gives to programs and workers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["granted_role", "rights"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "postgres.md"


def rights(role: str, schema: str, database: str) -> list[str]:
    """Return the statements of the page that make a role and give it what it needs."""
    (text,) = re.findall(
        r"^```sql\n(CREATE ROLE shop LOGIN;\n.*?)```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    statements = [it.strip() for it in str(text).split(";") if it.strip()]
    words = {"ON DATABASE shop": f"ON DATABASE {database}", "TO shop": f"TO {role}", "ROLE shop": f"ROLE {role}",
             "SCHEMA hueyio": f"SCHEMA {schema}", "hueyio.versions": f"{schema}.versions"}  # fmt: skip
    for word, meant in words.items():
        statements = [it.replace(word, meant) for it in statements]
    return statements


@contextmanager
def granted_role(dsn: str, schema: str = "hueyio") -> Iterator[str]:
    """Make a role with these rights in a database in which the tables are; give the address with which it connects."""
    role, known = f"shop_{uuid.uuid4().hex}", conninfo_to_dict(dsn)
    with psycopg.connect(dsn, autocommit=True) as owner:
        for statement in rights(role, schema, str(known["dbname"])):
            owner.execute(statement.encode())
        try:
            yield make_conninfo(dsn, user=role)
        finally:
            owner.execute(f"DROP OWNED BY {role}".encode())
            owner.execute(f"DROP ROLE {role}".encode())
