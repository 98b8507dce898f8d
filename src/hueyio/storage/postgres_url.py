"""Addresses of PostgreSQL databases, told from those of other servers before psycopg is imported: it is an extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from hueyio.exceptions import ConfigurationError

__all__ = ["import_part", "is_postgres_url", "missing_psycopg"]

_SCHEMES: Final = ("postgresql://", "postgres://")


def is_postgres_url(url: str) -> bool:
    """Say whether a URL is that of a PostgreSQL database."""
    return url.startswith(_SCHEMES)


def import_part(name: str) -> Any:
    """Import a module of the storage; raises ConfigurationError if psycopg cannot be imported."""
    try:
        return import_module(f"hueyio.storage.postgres.{name}")
    except ImportError as error:
        raise missing_psycopg(error) from error


def missing_psycopg(error: ImportError) -> ConfigurationError:
    """Return the error for a psycopg that is not installed, or finds no libpq."""
    return ConfigurationError(f"PostgreSQL needs psycopg ({error}): pip install 'hueyio[postgres]'")
