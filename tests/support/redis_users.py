"""Users of a Redis server with the rights that the documentation gives to a role."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Final

import redis

from hueyio.storage.redis.storage import RedisStorage
from tests.support.servers import Server

__all__ = ["User", "rules_of"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "redis-deployments.md"


def rules_of(role: str) -> list[str]:
    """Return the rules that the page gives for a role, without its password."""
    (text,) = re.findall(rf"^ACL SETUSER shop-{role} (.*?)```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [word for word in str(text).split() if not word.startswith(">")]


class User:
    """A user of a server, with the rights that the page gives for a role, or others."""

    def __init__(self, server: Server, role: str, queue: str | None = None) -> None:
        self.server = server
        self.name = f"shop-{uuid.uuid4().hex}"
        self.queue = queue or self.name
        self.rules = [rule.replace("{shop}", f"{{{self.queue}}}") for rule in rules_of(role)]
        self.admin = redis.Redis.from_url(server.url)
        self.allow(*self.rules)

    def allow(self, *rules: str) -> None:
        """Add to the rules, or take from them, while sessions are open."""
        self.admin.execute_command("ACL", "SETUSER", self.name, ">secret", *rules)  # type: ignore[no-untyped-call]

    @property
    def url(self) -> str:
        """Where the server is, with its login."""
        return f"redis://{self.name}:secret@127.0.0.1:{self.server.port}"

    def storage(self, made: type[RedisStorage] = RedisStorage) -> RedisStorage:
        return made(self.queue, url=self.url, outage_timeout=0)

    def denied(self) -> list[str]:
        """List what it tried and may not: commands, keys and channels."""
        log = self.admin.acl_log(count=1000)
        found = {str(entry["object"]) for entry in log if entry["username"] == self.name}
        return sorted(found - {"client", "client|setinfo"})  # which are optional

    def close(self) -> None:
        self.admin.execute_command("ACL", "DELUSER", self.name)  # type: ignore[no-untyped-call]
        self.admin.close()
