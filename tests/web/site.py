"""A dashboard as a browser sees it, without one: pages, links, forms, cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape
from typing import Any, Final

import httpx

from hueyio.web.settings import ASGIApp

__all__ = ["FORM", "Site", "visiting"]

FORM: Final = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}

_LINK: Final = re.compile(r'(?:href|formaction|action)="([^"#]*)"')
_TOKEN: Final = re.compile(r'name="token" value="([0-9a-f]+)"')
_FIELD: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Site:
    """Visits pages. ``base`` is the address of the queue below which paths are."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self.client = client
        self.base = base

    async def get(self, path: str, status: int = 200) -> str:
        """Return a page of the queue."""
        answer = await self.client.get(f"{self.base}/{path}")
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2000:])
        return answer.text

    async def token(self) -> str:
        """Return what this visitor's forms carry."""
        (token, *_) = _TOKEN.findall(await self.get("act/pause"))
        return str(token)

    async def fields(self, path: str) -> dict[str, str]:
        """Return the fields of the form on a page that asks."""
        page = await self.get(path)
        form = page[page.index('<section class="sheet confirm">') :]
        return {key: unescape(value) for key, value in _FIELD.findall(form)}

    async def post(
        self, verb: str, fields: Mapping[str, Any], status: int = 303, headers: Mapping[str, str] = FORM
    ) -> httpx.Response:
        """Send a form with these fields alone."""
        answer = await self.client.post(f"{self.base}/act/{verb}", data=dict(fields), headers=dict(headers))
        assert answer.status_code == status, (verb, answer.status_code, answer.text[-2000:])
        return answer

    async def act(self, verb: str, **fields: Any) -> str:
        """Take an action as the page that asks for it does; return what the next page says."""
        answer = await self.post(verb, {"token": await self.token(), **fields})
        return self.said(await self.client.get(answer.headers["location"]))

    async def agree(self, path: str, **typed: str) -> str:
        """Go to a page that asks, and agree; return what the next page says."""
        verb = path.partition("?")[0].removeprefix("act/")
        answer = await self.post(verb, {**await self.fields(path), **typed})
        return self.said(await self.client.get(answer.headers["location"]))

    @staticmethod
    def said(answer: httpx.Response) -> str:
        """Return what a page says of the action before."""
        found = re.search(r'<div class="answer" role="status"><bdi>(.*?)</bdi>', answer.text, re.DOTALL)
        return unescape(found[1]) if found else ""

    async def follow(self, path: str) -> list[str]:
        """Return a page and all those behind it, to which it leads by "More"."""
        pages = [await self.get(path)]
        while more := re.search(r'<a class="btn" href="([^"]+)">More</a>', pages[-1]):
            answer = await self.client.get(unescape(more[1]))
            assert answer.status_code == 200
            pages.append(answer.text)
        return pages

    async def crawl(self, begin: str = "overview") -> dict[str, str]:
        """Follow all links from a page; return all pages. Each must be there."""
        found: dict[str, str] = {}
        waiting = [f"{self.base}/{begin}"]
        while waiting:
            address = waiting.pop()
            if address in found:
                continue
            answer = await self.client.get(address, follow_redirects=True)
            assert answer.status_code == 200 or "/act/" in address, (address, answer.status_code, answer.text[-1500:])
            found[address] = answer.text if answer.headers["content-type"].startswith("text/html") else ""
            links = [unescape(it) for it in _LINK.findall(found[address])]
            waiting += [str(httpx.URL(address).join(it)) if it.startswith("?") else it for it in links if it]
        return found


@asynccontextmanager
async def visiting(
    app: ASGIApp, base: str, host: str = "shop.test", address: str = "203.0.113.9"
) -> AsyncIterator[Site]:
    """Visit an application."""
    transport = httpx.ASGITransport(app=app, client=(address, 5000))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        yield Site(client, base)
