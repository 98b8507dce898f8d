"""The users that the documentation proposes may do what they need, and no command more."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Final

import pytest
import redis
from redis.exceptions import NoPermissionError
from tests.support.servers import Server

from hueyio import RedisHuey
from hueyio.storage import redis as redis_storage
from hueyio.storage.redis.layout import Flavour
from hueyio.storage.redis.scripts import read_script

PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "redis-deployments.md"
CALL: Final = re.compile(rb"(?:redis\.p?call|fetch|apply)\(\s*'([A-Z]+)'")
PRODUCING: Final = frozenset(
    {
        "open", "enqueue", "enqueue_latched", "register_waiter", "peek", "pop", "delete", "put", "put_if_absent",
        "locate", "counts", "owners",
    }
)  # fmt: skip
DIRECT: Final = {
    "producer": {"eval", "evalsha", "ping", "subscribe", "unsubscribe"},
    "worker": {
        "eval", "evalsha", "ping", "subscribe", "unsubscribe", "blpop", "lpop", "rpush", "client|id", "client|unblock",
        "info", "exists", "hget",
    },
}  # fmt: skip
FLAVOURS: Final = [Flavour("list", "once"), Flavour("sorted", "kept")]


def rules_of(role: str) -> list[str]:
    """Return the rules that the page gives for a role, without its password."""
    (text,) = re.findall(rf"^ACL SETUSER shop-{role} (.*?)```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [word for word in str(text).split() if not word.startswith(">")]


def commands_of(role: str) -> set[str]:
    files = Path(redis_storage.__file__).with_name("lua").rglob("*.lua")
    scripts = {file.stem for file in files if not file.name.startswith("_")}
    if role == "producer":
        scripts &= PRODUCING
    sources = [read_script(script, flavour).source for script in scripts for flavour in FLAVOURS]
    return DIRECT[role] | {name.decode().lower() for source in sources for name in CALL.findall(source)}


@pytest.mark.parametrize("role", ["worker", "producer"])
def test_documented_rules_allow_exactly_what_is_sent(role: str) -> None:
    allowed = {rule[1:] for rule in rules_of(role) if rule.startswith("+")}
    wanted = commands_of(role)
    assert allowed == wanted, "the page should say: " + " ".join(f"+{command}" for command in sorted(wanted))


async def test_documented_users_can_do_their_work_and_touch_nothing_else(server: Server) -> None:
    name = f"shop-{uuid.uuid4().hex}"
    roles = ("worker", "producer")
    with redis.Redis.from_url(server.url) as admin:
        for role in roles:
            rules = [rule.replace("{shop}", f"{{{name}}}") for rule in rules_of(role)]
            admin.execute_command("ACL", "SETUSER", f"{name}-{role}", ">secret", *rules)
        admin.acl_log_reset()
        worker, producer = (
            RedisHuey(name, host="127.0.0.1", port=server.port, username=f"{name}-{role}", password="secret")
            for role in roles
        )

        @worker.task(name="add", retries=1)
        async def run_add(a: int, b: int) -> int:
            return a + b

        @producer.task(name="add", retries=1)
        async def add(a: int, b: int) -> int:
            return a + b

        async with worker.create_consumer(lease=1.0):
            results = await add.map([(n, n) for n in range(20)])
            assert await results == [2 * n for n in range(20)]
            later = await add.options(delay=0.2)(1, 2)
            assert await later == 3
            revoked = await add.options(delay=60)(1, 2)
            await revoked.revoke()
            assert await producer.count() == 0
        denied = [entry for entry in admin.acl_log() if entry["object"] not in ("client|setinfo", "client")]
        assert denied == []
        with redis.Redis(port=server.port, username=f"{name}-worker", password="secret") as thief:
            with pytest.raises(NoPermissionError):
                thief.hget("hueyio:{other}:tasks", "id")
            with pytest.raises(NoPermissionError):
                thief.flushall()
        for role in roles:
            admin.execute_command("ACL", "DELUSER", f"{name}-{role}")
    await worker.close()
    await producer.close()
