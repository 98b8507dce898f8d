"""The table of operations, the session that spells them, and the contract's Protocols say the same."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Collection, Sequence
from typing import Any, NoReturn, get_args

import pytest

from hueyio.storage import contract
from hueyio.storage.blackhole import BlackHoleSession
from hueyio.storage.contract import Session
from hueyio.storage.file.actions import JOURNALED
from hueyio.storage.memory.actions import ACTIONS
from hueyio.storage.operations import OPERATIONS, Durability, OperationSession, Role, durability_of
from hueyio.storage.records import Bell, Entry, Header, Notices, Over, Unknown
from hueyio.storage.redis.session import TABLE

ROLES: dict[Role, type] = {role: getattr(contract, role.capitalize()) for role in get_args(Role)}
TOGETHER = "settle_and_claim"
"""It does what two operations do."""
SPELLED = [it for it in OPERATIONS.values() if not it.waits]


def methods(kind: type) -> dict[str, Any]:
    return {name: it for name, it in vars(kind).items() if inspect.iscoroutinefunction(it) and name != TOGETHER}


def test_table_has_the_operations_of_each_role_when_compared_with_the_contract() -> None:
    for role, protocol in ROLES.items():
        assert [it.name for it in OPERATIONS.values() if it.role == role] == list(methods(protocol))
    assert len(OPERATIONS) == 56


def test_session_has_every_operation_when_compared_with_the_contract() -> None:
    spelled = methods(OperationSession)
    assert list(spelled) == [*OPERATIONS, "close"]
    for name, method in {**spelled, TOGETHER: OperationSession.settle_and_claim}.items():
        assert inspect.signature(method) == inspect.signature(getattr(Session, name)), name


def test_session_is_documented_when_the_contract_is() -> None:
    for name in (*OPERATIONS, TOGETHER):
        assert inspect.getdoc(getattr(OperationSession, name)) == inspect.getdoc(getattr(Session, name))


def test_waits_are_left_to_the_storage() -> None:
    waits = {it.name for it in OPERATIONS.values() if it.waits}
    assert waits == {"wait_for_work", "notices", "await_outcomes", "follow"}
    assert OperationSession.__abstractmethods__ == {*waits, "close", "_do"}
    assert all(OPERATIONS[name].durability is Durability.READ for name in waits)


def test_deletion_of_a_result_need_not_survive_a_power_failure_and_others_do() -> None:
    assert durability_of("delete", ("results", ("a",))) is Durability.VOLATILE
    assert durability_of("delete", ("data", ("a",))) is Durability.DURABLE
    others = [it for it in OPERATIONS.values() if it.name != "delete"]
    assert all(durability_of(it.name, ("results",)) is it.durability for it in others)


def test_reads_are_idempotent() -> None:
    assert all(it.is_idempotent for it in OPERATIONS.values() if it.durability is Durability.READ)


def test_every_operation_has_an_action_when_a_storage_has_a_table() -> None:
    names = {it.name for it in SPELLED}
    assert set(ACTIONS) == set(BlackHoleSession.actions) == set(TABLE) == names
    changing = {it.name for it in SPELLED if it.durability is not Durability.READ}
    assert set(JOURNALED) == {*changing, "exchange", "forget"}


class Notebook(OperationSession):
    """Notes what it is asked to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, tuple[Any, ...]]] = []

    async def _note(self) -> None:
        return None

    def _do(self, name: str, /, *args: Any) -> Awaitable[Any]:
        self.done.append((name, args))
        return self._note()

    async def wait_for_work(self, bells: Collection[Bell], timeout: float) -> NoReturn:
        raise AssertionError

    async def notices(self, owner: str, seen: Notices | None) -> NoReturn:
        raise AssertionError

    async def await_outcomes(self, ids: Sequence[str], unknown: Unknown = "return") -> list[Over]:
        raise AssertionError

    async def follow(self, id: str, seen: bytes | None) -> NoReturn:
        raise AssertionError

    async def close(self) -> None: ...


@pytest.mark.parametrize("name", [it.name for it in SPELLED])
async def test_all_parameters_reach_the_storage_in_order_when_called(name: str) -> None:
    session = Notebook()
    method = getattr(session, name)
    given = [_example(it) for it in inspect.signature(method).parameters.values()]
    await method(*given)
    assert session.done == [(name, tuple(given))]


async def test_operation_is_as_it_was_asked_for_when_the_callers_lists_change_later() -> None:
    session = Notebook()
    entries, room, items = [Entry(Header("a"), b"")], {"loop": 1}, {"k": b"v"}
    await session.enqueue(entries)
    await session.claim(room, "me")  # type: ignore[arg-type]
    await session.put("data", items)
    entries.clear()
    room.clear()
    items.clear()
    assert session.done == [
        ("enqueue", ((Entry(Header("a"), b""),), ())),
        ("claim", ({"loop": 1}, "me")),
        ("put", ("data", {"k": b"v"}, None)),
    ]


def _example(parameter: inspect.Parameter) -> Any:
    """Make an argument that is told from those of all other parameters, of the type that reaches the storage."""
    kind = str(parameter.annotation)
    if kind.startswith(("Sequence", "Collection")):
        return (parameter.name,)
    return {parameter.name: parameter.name} if kind.startswith("Mapping") else parameter.name
