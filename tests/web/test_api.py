"""The JSON API says what the pages show, to who may see it, and takes the same actions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hueyio import MemoryHuey
from hueyio.core import core_of
from hueyio.web.api.routes import READS
from hueyio.web.dashboard import VERBS, Source, make_dashboard
from hueyio.web.doors import Doors
from hueyio.web.login import Login
from hueyio.web.settings import Settings
from tests.web.conftest import Shop
from tests.web.site import visiting

IN_MEMORY = pytest.mark.parametrize("shop", ["memory"], indirect=True)


def fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Say whether a value is as its schema says: all keys are there, and no other."""
    if "$ref" in schema:
        return fits(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return any(fits(value, it, schemas) for it in schema["anyOf"])
    kinds: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
        "array": list,
    }
    if schema["type"] == "object" and not isinstance(value, dict):
        return False
    if schema["type"] == "object":
        if "additionalProperties" in schema:
            return all(fits(it, schema["additionalProperties"], schemas) for it in value.values())
        properties = schema["properties"]
        return set(value) == set(properties) and all(fits(value[it], properties[it], schemas) for it in value)
    items = schema.get("items")
    is_kind = isinstance(value, kinds[schema["type"]]) and value in schema.get("enum", [value])
    return is_kind and (items is None or all(fits(it, items, schemas) for it in value))


async def test_each_answer_is_as_it_is_described(shop: Shop) -> None:
    running = await shop.fill()
    root = "/api/v1"
    async with visiting(shop.huey.dashboard(authorize="open", arguments=True), f"{root}/queues{shop.base}") as site:
        described = (await site.client.get(f"{root}/openapi.json")).json()
        assert (await site.client.get(f"{root}/queues")).json() == {"queues": [shop.huey.name]}
        schemas = described["components"]["schemas"]
        for it in READS:
            operation = described["paths"][f"/queues/{{queue}}{'/' if it.path else ''}{it.path}"]["get"]
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            for part in ("running", "failed", "done") if it.path == "tasks/{part}" else (running,):
                address = f"{site.base}/{it.path.replace('{part}', part)}".rstrip("/")
                answer = await site.client.get(address)
                assert answer.status_code == 200, address
                assert fits(answer.json(), schema, schemas), (address, answer.text)
        tasks = (await site.client.get(f"{site.base}/tasks/failed?error=ValueError")).json()["tasks"]
        assert [it["error"] for it in tasks] == ["ValueError: no such <b>address</b> 17"] * 3
        assert (await site.client.get(site.base)).json()["counts"]["running"] == 1
        task = (await site.client.get(f"{site.base}/task/{running}")).json()
        assert task["arguments"] == [["0", "2"]]


@IN_MEMORY
async def test_actions_are_taken_and_refused_as_on_the_pages(shop: Shop) -> None:
    (id,) = await shop.fail()
    app = shop.huey.dashboard(authorize=lambda request: request.headers.get("x-level", "none"))
    async with visiting(app, f"/api/v1/queues{shop.base}") as site:
        address = f"{site.base}/actions/retry"

        async def post(body: Any, status: int, **headers: str) -> dict[str, Any]:
            answer = await site.client.post(address, json=body, headers={"x-level": "operate", **headers})
            assert answer.status_code == status, answer.text
            read: dict[str, Any] = answer.json()
            return read

        assert (await post({"id": id}, 403, **{"x-level": "read"}))["error"]["status"] == 403
        assert (await post({"id": id}, 403, **{"x-level": "none"}))["error"]["text"] == "You may not look at this."
        assert "not sent from" in (await post({"id": id}, 403, origin="http://evil.test"))["error"]["text"]
        bodies: list[Any] = [[], "x", {"id": 7}, {"id": [None]}, {"id": {}}]
        for body in bodies:
            assert "values are texts" in (await post(body, 400))["error"]["text"]
        assert "Select at least one" in (await post({"state": "failed"}, 400))["error"]["text"]
        form = await site.client.post(address, data={"id": id}, headers={"x-level": "operate"})
        assert form.status_code == 415
        assert await post({"id": ["gone", id]}, 200) == {"answer": "1 is ready. 1 was gone."}
        missing = await site.client.get(f"{site.base}/task/gone", headers={"x-level": "read"})
        assert missing.json() == {"error": {"status": 404, "text": "No task gone is known."}}
    (entry,) = await shop.huey.audit()
    assert entry.action == "retry"


async def test_token_opens_the_api_where_there_is_a_login() -> None:
    huey = MemoryHuey("shop")
    login = Login(token="machine")
    settings = Settings(authorize=Doors(login=login).authorize)
    app = make_dashboard([Source(core=core_of(huey), app=None)], settings, login)
    async with visiting(app, "/api/v1/queues/shop") as site:
        refused = await site.client.get("/api/v1/queues")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        site.client.headers["authorization"] = "Bearer machine"
        assert set((await site.client.get(site.base)).json()["may"]) == {
            it.permission for it in VERBS.values() if it.permission
        }
    await huey.close()


async def test_text_that_no_storage_takes_is_refused(shop: Shop) -> None:
    async with visiting(shop.huey.dashboard(authorize="open"), shop.base) as site:
        for verb, key in (("retry", "id"), ("cancel", "id"), ("delete", "id"), ("revoke", "name")):
            address = f"/api/v1/queues{shop.base}/actions/{verb}"
            body = json.dumps({key: "\ud800"})
            answer = await site.client.post(address, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400, (verb, answer.text)
