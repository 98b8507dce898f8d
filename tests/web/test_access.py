"""Who is let in: by a function, a password, a token, a proxy; and what cannot be set up."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.requests import Request

from hueyio import ConfigurationError, MemoryHuey, TaskException
from hueyio.core import core_of
from hueyio.web.dashboard import Source, make_dashboard
from hueyio.web.doors import Doors, FromProxies, is_loopback, read_networks
from hueyio.web.login import LOGIN_COOKIE, Login
from hueyio.web.settings import Level, Settings
from tests.support.consuming import Clock
from tests.web.site import FORM, visiting


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs authorize="),
        ({"authorize": "everybody"}, "must be a function"),
        ({"authorize": "open", "read_only": "no"}, "True or False"),
        ({"authorize": "open", "actions": ["fly"]}, "actions must be some of"),
        ({"authorize": "open", "actions": "retry"}, "actions must be some of"),
        ({"authorize": "open", "redact": 1}, "redact must be a function"),
        ({"authorize": "open", "redact_text": 1}, "redact_text must be a function"),
        ({"authorize": "open", "host_names": "shop.test"}, "must be several"),
        ({"authorize": "open", "prefix": "queue"}, "prefix must be a path"),
        ({"authorise": "open"}, "authorise"),
    ],
)
def test_dashboard_is_refused_when_it_is_set_up_wrongly(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        MemoryHuey("shop").dashboard(**options)


def test_two_queues_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="one name"):
        MemoryHuey("shop").dashboard(MemoryHuey("shop"), authorize="open")


async def test_function_decides_when_it_is_async_and_when_it_answers_nonsense(caplog: pytest.LogCaptureFixture) -> None:
    huey = MemoryHuey("shop")
    answers: list[Any] = ["read", "operate", "none", True, None]

    async def authorize(request: Request) -> Level:
        assert isinstance(request, Request)
        level: Level = answers.pop(0)
        return level

    async with visiting(huey.dashboard(authorize=authorize), "/shop") as site:
        assert "may look, not act" in await site.get("audit")
        assert "may operate" in await site.get("audit")
        for _ in range(3):
            assert "You may not look at this" in await site.get("audit", 403)
    assert "answered True" in caplog.text
    await huey.close()


async def test_other_host_names_are_not_answered_when_they_are_named() -> None:
    huey = MemoryHuey("shop")
    app = huey.dashboard(authorize="open", host_names=["Shop.test", "[::1]"])
    for host, status in {"shop.test": 200, "shop.test:8080": 200, "[::1]:8080": 200, "evil.test": 421}.items():
        async with visiting(app, "/shop", host) as site:
            await site.get("audit", status)
    await huey.close()


async def test_login_lets_in_who_knows_the_password() -> None:
    huey, clock = MemoryHuey("shop"), Clock()
    login = Login(password="tea", token="machine", clock=clock)
    doors = Doors(login=login)
    app = make_dashboard([Source(core=core_of(huey), app=None)], Settings(authorize=doors.authorize), login)
    async with visiting(app, "/shop") as site:
        turned = await site.client.get("/shop/audit?after=7")
        assert turned.headers["location"] == "/~login?next=%2Fshop%2Faudit%3Fafter%3D7"
        assert turned.status_code == 303
        page = await site.client.get(turned.headers["location"])
        token = page.text.partition('name="token" value="')[2].partition('"')[0]
        fields = {"token": token, "next": "/shop/audit"}
        assert (await site.client.post("/~login", data={**fields, "password": "tea"})).status_code == 403
        wrong = await site.client.post("/~login", data={**fields, "password": "coffee"}, headers=FORM)
        assert wrong.status_code == 401
        right = await site.client.post("/~login", data={**fields, "password": "tea"}, headers=FORM)
        assert right.headers["location"] == "/shop/audit"
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "Log out" in await site.get("audit")
        clock.now += 13 * 3600
        await site.get("audit", 303)
        site.client.cookies.set(LOGIN_COOKIE, f"{clock.now + 1e6:.0f}.x.{'0' * 64}")
        await site.get("audit", 303)
        site.client.cookies.delete(LOGIN_COOKIE)
        assert (await site.client.get("/shop/audit", headers={"authorization": "Bearer machine"})).status_code == 200
        assert (await site.client.get("/shop/audit", headers={"authorization": "Bearer tea"})).status_code == 303
    await huey.close()


async def test_wrong_passwords_are_bounded_by_address_and_in_all() -> None:
    huey, clock = MemoryHuey("shop"), Clock()
    login = Login(password="tea", clock=clock)
    app = make_dashboard(
        [Source(core=core_of(huey), app=None)], Settings(authorize=Doors(login=login).authorize), login
    )
    async with visiting(app, "/shop") as site:
        page = await site.client.get("/~login")
        fields = {"token": page.text.partition('name="token" value="')[2].partition('"')[0], "next": ""}
        statuses = [
            (await site.client.post("/~login", data={**fields, "password": word}, headers=FORM)).status_code
            for word in (*"abcde", "tea")
        ]
        assert statuses == [401] * 5 + [429]
        clock.now += 61
        last = await site.client.post("/~login", data={**fields, "password": "tea"}, headers=FORM)
        assert last.headers["location"] == "/"
    for number in range(30):
        assert not login.try_password("x", f"10.0.0.{number}")
    assert not login.may_try("10.0.1.1")
    await huey.close()


async def test_header_names_the_visitor_when_a_trusted_proxy_sends_it() -> None:
    huey = MemoryHuey("shop")
    doors = Doors(user_header="X-User")
    settings = Settings(authorize=doors.authorize, actor=doors.actor, prefix="/queue/")
    made = make_dashboard([Source(core=core_of(huey), app=None)], settings)
    app = FromProxies(made, read_networks(["10.0.0.0/8"]))
    said = {"x-user": "ana", "x-forwarded-for": "6.6.6.6, 203.0.113.9", "x-forwarded-proto": "https"}
    async with visiting(app, "/queue/shop", address="10.1.2.3") as site:
        # The proxy takes the prefix away, or leaves it.
        for path in ("/shop/act/pause", "/queue/shop/act/pause"):
            page = await site.client.get(path, headers=said)
            assert page.status_code == 200
            assert 'action="/queue/shop/act/pause"' in page.text
        assert "; Secure" in page.headers["set-cookie"]
        assert "Path=/queue" in page.headers["set-cookie"]
        assert (await site.client.get("/shop/audit")).status_code == 403
    async with visiting(app, "/queue/shop", address="192.0.2.1") as site:
        assert (await site.client.get("/shop/audit", headers=said)).status_code == 403
    await huey.close()


def test_addresses_are_loopback_or_not() -> None:
    assert [is_loopback(it) for it in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "10.0.0.1", "shop.test")] == [
        *[True] * 3,
        *[False] * 3,
    ]
    with pytest.raises(ConfigurationError, match="takes an address"):
        read_networks(["shop.test"])


@pytest.mark.parametrize("options", [{}, {"arguments": True, "redact": lambda name, args, kwargs: ([], {})}])
async def test_arguments_and_tracebacks_are_hidden_wherever_they_stand(options: dict[str, Any]) -> None:
    """In the history too, and in the timeline that is part of a task."""
    huey = MemoryHuey("shop", history_args=True)

    @huey.task(name="pay")
    async def pay(card: str) -> None:
        if card.endswith("0"):
            raise ValueError("declined")

    async with huey.create_consumer():
        failing, paid = await pay("4111-SECRET-0"), await pay("4111-SECRET-1")
        await paid
        with pytest.raises(TaskException):
            await failing
    app = huey.dashboard(authorize=lambda request: "read", **options)
    async with visiting(app, "/shop") as site:
        for id in (failing.id, paid.id):
            page = await site.get(f"task/{id}")
            told = (await site.client.get(f"/api/v1/queues/shop/task/{id}")).text
            for text in (page, told):
                assert "pay" in text
                assert "SECRET" not in text
                assert "test_access.py" not in text
    async with visiting(huey.dashboard(authorize="open", arguments=True), "/shop") as site:
        assert "SECRET-1" in await site.get(f"task/{paid.id}")
        told = (await site.client.get(f"/api/v1/queues/shop/task/{failing.id}")).json()
        assert "test_access.py" in told["attempts"][0]["traceback"]
    await huey.close()


async def test_first_page_says_nothing_to_strangers() -> None:
    huey = MemoryHuey("shop")
    async with visiting(huey.dashboard(authorize=lambda request: "none"), "/shop") as site:
        assert (await site.client.get("/")).status_code == 403
    await huey.close()


async def test_form_of_an_own_page_is_taken_where_the_browser_sends_only_an_origin() -> None:
    """So it is over plain HTTP; with the policy no-referrer the origin would be ``null``."""
    huey = MemoryHuey("shop")
    async with visiting(huey.dashboard(authorize="open"), "/shop") as site:
        answer = await site.client.get("/shop/overview")
        assert answer.headers["referrer-policy"] == "same-origin"
        headers = {"content-type": FORM["content-type"], "origin": str(site.client.base_url).rstrip("/")}
        await site.post("pause", {"token": await site.token()}, 303, headers)
        await site.post("resume", {"token": await site.token()}, 403, {**headers, "origin": "null"})
    await huey.close()


def test_wrong_tokens_of_one_address_are_counted_and_keep_nobody_else_out() -> None:
    login = Login(token="machine", clock=Clock())

    def ask(token: str, address: str) -> bool:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        return login.is_known(Request({"type": "http", "headers": headers, "client": (address, 1)}))

    assert ask("machine", "6.6.6.6")
    for number in range(5):
        assert not ask(f"guess {number}", "6.6.6.6")
    assert not ask("machine", "6.6.6.6")
    assert ask("machine", "203.0.113.9")
    assert login.may_try("6.6.6.6"), "passwords are counted apart"


async def test_last_line_of_a_proxy_counts_and_two_names_are_none() -> None:
    huey = MemoryHuey("shop")
    doors = Doors(user_header="X-User")
    made = make_dashboard(
        [Source(core=core_of(huey), app=None)], Settings(authorize=doors.authorize, actor=lambda it: it.client.host)
    )
    app = FromProxies(made, read_networks(["10.0.0.0/8"]))
    lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9"), ("x-user", "ana")]
    async with visiting(app, "/shop", address="10.1.2.3") as site:
        site.client.headers = httpx.Headers(lines)
        await site.act("pause")
        (entry,) = await huey.audit()
        assert entry.actor == "203.0.113.9"
        site.client.headers = httpx.Headers([*lines, ("x-user", "eve")])
        await site.get("audit", 403)
    await huey.close()
