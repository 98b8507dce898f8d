"""The ASGI application: from an address to a page or an action."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from hueyio.exceptions import ConfigurationError, StorageError
from hueyio.storage.texts import is_storable
from hueyio.web.access import Visitor, check_host, recognise
from hueyio.web.actions import queue as queue_actions
from hueyio.web.actions import schedules as schedule_actions
from hueyio.web.actions import tasks as task_actions
from hueyio.web.actions.jobs import Jobs
from hueyio.web.actions.verb import SURE, Done, Verb
from hueyio.web.addresses import ASSETS, LOGIN, Addresses, read_text, write_part
from hueyio.web.answers import Answers, cookie_path, here_of, is_api, page_before, page_wanted, root_of
from hueyio.web.api.routes import API, READS, Reading, describe_api
from hueyio.web.api.shapes import Answer, Queues, to_json
from hueyio.web.forgery import Form, read_form, read_json
from hueyio.web.gate import Gate
from hueyio.web.guard import SecureHeaders
from hueyio.web.live import Feed, feed_of, read_topics
from hueyio.web.login import Login
from hueyio.web.mounted import Mounted, check_prefix
from hueyio.web.pages import audit, failures, limits, names, overview, schedules, task, tasks, workers, zone
from hueyio.web.refusal import Refusal
from hueyio.web.settings import ASGIApp, Settings
from hueyio.web.view import Page, Source, View
from hueyio.web.zones import find_zone, keep_zone, read_zone

__all__ = ["VERBS", "Source", "make_dashboard"]

logger = logging.getLogger(__name__)

VERBS: Final[dict[str, Verb]] = {
    verb.name: verb for verb in (*task_actions.VERBS, *queue_actions.VERBS, *schedule_actions.VERBS)
}

Read = Callable[[View], Awaitable[Page]]
Endpoint = Callable[[Request], Awaitable[Response]]

_PAGES: Final[tuple[tuple[str, str, Read], ...]] = (
    ("overview", "overview", overview.read),
    ("tasks", "tasks/{part}", tasks.read),
    ("tasks", "task/{part}", task.read),
    ("failures", "failures", failures.read),
    ("names", "names", names.read_all),
    ("names", "names/{part}", names.read_one),
    ("workers", "workers", workers.read),
    ("schedules", "schedules", schedules.read),
    ("limits", "limits", limits.read),
    ("audit", "audit", audit.read),
)
"""Of each page: which of the rail it is, its address below the queue, and what reads it."""


def make_dashboard(sources: Sequence[Source], settings: Settings, login: Login | None = None) -> ASGIApp:
    """Return the application for these queues.

    Raises ConfigurationError if two have one name, or if the prefix could be taken for one.
    """
    by_name = {it.name: it for it in sources}
    if len(by_name) < len(sources):
        raise ConfigurationError("two of these queues have one name, and would have one address")
    made = _Dashboard(by_name, settings, login)
    queues = {write_part(it) for it in by_name}
    check_prefix(settings.prefix, queues, made.pages)
    return Mounted(made.app, settings.prefix, {*queues, *made.own})


class _Dashboard:
    """Answers requests. It keeps nothing of them."""

    def __init__(self, sources: dict[str, Source], settings: Settings, login: Login | None) -> None:
        self._sources = sources
        self._settings = settings
        self._has_login = login is not None
        self._answers = Answers(has_login=login is not None)
        gate = [] if login is None else Gate(login, settings, self._answers).routes()
        handlers: dict[Any, Any] = {
            Refusal: self._answers.refusal,
            HTTPException: self._answers.http_error,
            StorageError: self._answers.away,
        }
        routes = [*gate, *self._routes()]
        parts = [it.path.split("/")[1:] for it in routes]
        self.own = {it[0] for it in parts if it[0] not in ("", "{queue}")}
        """The first parts of addresses that are no queue's."""
        self.pages = {it[1] for it in parts if it[0] == "{queue}" and len(it) > 1}
        """The second parts of those of queues."""
        self.app = Starlette(routes=routes, exception_handlers=handlers, lifespan=self._live)
        self.app.add_middleware(SecureHeaders)

    def _routes(self) -> list[Route]:
        return [
            Route("/", self._go_to_first),
            Route(f"/{ASSETS}/{{name}}", self._give_asset),
            Route(f"/{API}/openapi.json", self._describe_api),
            Route(f"/{API}/queues", self._list_queues),
            *(Route(f"/{API}/queues/{{queue}}/{it.path}".rstrip("/"), self._tell(it)) for it in READS),
            Route(f"/{API}/queues/{{queue}}/actions/{{part}}", self._act_by_json, methods=["POST"]),
            *(Route(f"/{{queue}}/{path}", self._show(key, read)) for key, path, read in _PAGES),
            Route("/{queue}", self._go_to("overview")),
            Route("/{queue}/tasks", self._go_to("tasks/ready")),
            Route("/{queue}/find", self._find),
            Route("/{queue}/zone", self._show_zones, methods=["GET"]),
            Route("/{queue}/zone", self._keep_zone, methods=["POST"]),
            Route("/{queue}/events", self._events),
            Route("/{queue}/act/{part}", self._ask, methods=["GET"]),
            Route("/{queue}/act/{part}", self._act, methods=["POST"]),
        ]

    @asynccontextmanager
    async def _live(self, app: Starlette) -> AsyncIterator[None]:
        yield
        for source in self._sources.values():
            jobs, feed = source.core.peek_beside_session(Jobs), source.core.peek_beside_session(Feed)
            if jobs is not None:
                await jobs.end_with_session()
            if feed is not None:
                await feed.end_with_session()

    async def _visitor(self, request: Request) -> Visitor:
        """Find out who asks; raises Refusal for who may not look."""
        check_host(request, self._settings)
        visitor = await recognise(request, self._settings)
        if visitor.level == "none":
            raise self._turned_away(request)
        return visitor

    async def _view(self, request: Request) -> View:
        """Find out who asks for what; raises Refusal."""
        visitor = await self._visitor(request)
        queue, part = (read_text(request.path_params.get(it, "")) for it in ("queue", "part"))
        source = None if queue is None else self._sources.get(queue)
        if source is None or part is None:
            raise Refusal(404, "There is no such page.")
        session = await source.core.session()
        return View(
            source=source,
            visitor=visitor,
            settings=self._settings,
            session=session,
            now=datetime.fromtimestamp(source.core.now(), UTC),
            at=Addresses(root_of(request), source.name),
            here=here_of(request),
            query=request.query_params,
            zone=read_zone(request),
            part=part,
        )

    def _turned_away(self, request: Request) -> Refusal:
        if not self._has_login:
            return Refusal(403, "You may not look at this.")
        if is_api(request):
            return Refusal(401, "Send the token: Authorization: Bearer ...", {"www-authenticate": "Bearer"})
        wanted = {"next": here_of(request)} if request.method == "GET" else {}
        return Refusal(303, "Log in first.", {"location": f"{root_of(request)}/{LOGIN}?{urlencode(wanted)}"})

    # --- pages

    def _show(self, key: str, read: Read) -> Endpoint:
        async def show(request: Request) -> Response:
            view = await self._view(request)
            return await self._page(request, view, await read(view), key)

        return show

    async def _page(self, request: Request, view: View, page: Page, key: str) -> Response:
        return await self._answers.page(request, view, page, key, list(self._sources.values()))

    def _go_to(self, path: str) -> Endpoint:
        async def go(request: Request) -> Response:
            view = await self._view(request)
            return RedirectResponse(view.at.page(path), 307)

        return go

    async def _go_to_first(self, request: Request) -> Response:
        await self._visitor(request)
        return RedirectResponse(Addresses(root_of(request), next(iter(self._sources))).page("overview"), 307)

    async def _find(self, request: Request) -> Response:
        """Go to the task of an id; else search the failed ones."""
        view = await self._view(request)
        asked = view.query.get("q", "").strip()
        if not asked:
            return RedirectResponse(view.at.page("overview"), 303)
        is_known = False
        if is_storable(asked):
            (found,) = await view.session.locate([asked])
            is_known = found.state != "unknown"
        where = view.at.task(asked) if is_known else view.at.tasks("failed", {"text": asked})
        return RedirectResponse(where, 303)

    async def _events(self, request: Request) -> Response:
        """Tell what changes on a page, as a stream; with ``once`` what it is now, as one object."""
        view = await self._view(request)
        topics = read_topics(view.query)
        feed = await feed_of(view.source.core)
        if view.query.get("once"):
            return JSONResponse(await feed.once(topics, view.redaction))
        headers = {"x-accel-buffering": "no"}  # nginx would hold events back
        return StreamingResponse(feed.follow(topics, view.redaction), media_type="text/event-stream", headers=headers)

    async def _show_zones(self, request: Request) -> Response:
        view = await self._view(request)
        return await self._page(request, view, zone.read(view, page_before(request, view.at)), "zone")

    async def _keep_zone(self, request: Request) -> Response:
        view = await self._view(request)
        form = await read_form(request)
        chosen = find_zone(form.get("zone"))
        said = f"Times are in {chosen.name}." if chosen.name else "Times are in the zone of the browser."
        response = self._answers.done(request, Done(said), page_wanted(form.get("next"), view.at))
        keep_zone(request, response, chosen, cookie_path(request))
        return response

    async def _give_asset(self, request: Request) -> Response:
        return self._answers.file(request.path_params["name"])

    # --- actions

    async def _ask(self, request: Request) -> Response:
        view, verb = await self._verb(request)
        form = Form(list(request.query_params.multi_items()))
        return await self._question(request, view, verb, form)

    async def _question(self, request: Request, view: View, verb: Verb, form: Form) -> Response:
        question = await verb.ask(view, form)
        back = page_wanted(form.get("next"), view.at)
        if request.method == "POST":
            view = replace(view, here=back)  # such a page has no address to come back to
        given = [*question.carried, ("next", back)]
        values = {"question": question, "verb": verb.name, "given": given, "next": back}
        page = Page("confirm.html", question.title, values, 400 if question.is_wrong else 200)
        return await self._page(request, view, page, "act")

    async def _act(self, request: Request) -> Response:
        view, verb = await self._verb(request)
        form = await read_form(request)
        if form.get("asked") and form.get("asked") != form.get("typed"):
            raise Refusal(400, f"Nothing was done: type {form.get('asked')} to confirm.")
        if verb.has_fields and not form.get(SURE):
            return await self._question(request, view, verb, form)
        return self._answers.done(request, await _do(view, verb, form), page_wanted(form.get("next"), view.at))

    # --- the same as JSON

    def _tell(self, reading: Reading) -> Endpoint:
        async def tell(request: Request) -> Response:
            return JSONResponse(to_json(await reading.read(await self._view(request))))

        return tell

    async def _list_queues(self, request: Request) -> Response:
        await self._visitor(request)
        return JSONResponse(to_json(Queues(queues=list(self._sources))))

    async def _describe_api(self, request: Request) -> Response:
        await self._visitor(request)
        verbs = {name: verb.permission for name, verb in VERBS.items()}
        return JSONResponse(describe_api(root_of(request), verbs))

    async def _act_by_json(self, request: Request) -> Response:
        view, verb = await self._verb(request)
        form = await read_json(request)
        done = await _do(view, verb, form)
        return JSONResponse(to_json(Answer(answer=done.said)))

    async def _verb(self, request: Request) -> tuple[View, Verb]:
        view = await self._view(request)
        verb = VERBS.get(view.part)
        if verb is None:
            raise Refusal(404, "There is no such action.")
        if not view.may(verb.permission):
            raise Refusal(403, f"You may not do this: it needs the permission {verb.permission or 'to act'}.")
        return view, verb


async def _do(view: View, verb: Verb, form: Form) -> Done:
    said = await verb.do(view, form)
    done = said if isinstance(said, Done) else Done(said)
    logger.info("%s by %s on %s: %s", verb.name, view.visitor.actor, view.source.name, done.said)
    return done
