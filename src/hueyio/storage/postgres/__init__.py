"""Storage in a PostgreSQL database (14 or later), by psycopg 3."""

from hueyio.storage.postgres.storage import PostgresStorage

__all__ = ["PostgresStorage"]
