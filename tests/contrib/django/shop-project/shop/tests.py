"""The shop's own tests, in Django's way. ``manage.py test`` runs them."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Permission, User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from hueyio.contrib.django import get_huey
from hueyio.contrib.django.backend import HueyBackend
from hueyio.contrib.django.framework import (
    InvalidTask,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_enqueued,
    task_finished,
    task_started,
)
from hueyio.core import core_of
from hueyio.testing import HueyQueue, run_inline
from hueyio.web.live import stop_feeds
from shop.framework_tasks import double, fail, no_json, tell
from shop.models import Order
from shop.tasks import clean, mail, pay, pay_async, pay_in_process, thank, where


async def count_orders(**filters: Any) -> int:
    """Use the database from a coroutine."""
    return await Order.objects.filter(**filters).acount()


class InlineTests(TestCase):
    """Tasks run where they are called: in the thread and in the transaction of the test."""

    def setUp(self) -> None:
        """Run inline until the test is over."""
        inline = run_inline(get_huey(), get_huey("mails"))
        inline.__enter__()
        self.addCleanup(inline.__exit__, None, None, None)

    def test_body_has_the_thread_and_the_transaction_of_the_caller(self) -> None:
        """The row is not committed, and the task sees it."""
        order = Order.objects.create(name="ada")
        assert pay.sync(order.pk).get() == "ada"
        assert Order.objects.get().is_paid
        assert where.sync().get() == (threading.current_thread().name, True)

    def test_errors_are_raised_at_the_call(self) -> None:
        """Of the final attempt."""
        with self.assertRaises(Order.DoesNotExist):
            pay.sync(1)

    def test_view_enqueues_when_its_transaction_commits(self) -> None:
        """Django's own way to see what is done at the commit of a TestCase."""
        with self.captureOnCommitCallbacks() as callbacks:
            assert self.client.get("/order/ada/").status_code == 200
        assert len(callbacks) == 2
        assert not Order.objects.get().is_paid
        callbacks[0]()
        assert Order.objects.get().is_paid

    def test_call_local_is_the_function_itself(self) -> None:
        """Without Huey."""
        assert mail.call_local("ada") == "to ada"
        assert pay.call_local(Order.objects.create(name="bob").pk) == "bob"

    def test_coroutine_has_the_transaction_of_the_caller(self) -> None:
        """Its queries run in the thread that waits."""
        assert pay_async.sync(Order.objects.create(name="ada").pk).get() == "ada"
        assert Order.objects.get().is_paid

    async def test_coroutines_see_the_transaction_of_an_async_test(self) -> None:
        """Also a task with a ``def`` body, awaited, and called where Django runs sync code."""
        order = await Order.objects.acreate(name="ada")
        assert await (await pay_async(order.pk)) == "ada"
        assert await (await pay(order.pk)) == "ada"
        assert await sync_to_async(lambda: pay_async.sync(order.pk).get())() == "ada"
        assert await sync_to_async(lambda: pay.sync(order.pk).get())() == "ada"
        response = await self.async_client.get("/order_async/bob/")
        assert response.status_code == 200
        assert (await Order.objects.aget(name="bob")).is_paid


class QueueTests(TestCase):
    """Tasks wait in a queue in memory."""

    def setUp(self) -> None:
        """Have the queue until the test is over."""
        self.queue = HueyQueue(get_huey(), get_huey("mails"))
        self.queue.__enter__()
        self.addCleanup(self.queue.__exit__, None, None, None)

    def test_view_enqueues_at_commit(self) -> None:
        """Nothing before, both after."""
        with self.captureOnCommitCallbacks(execute=True):
            self.client.get("/order/ada/")
            assert self.queue.enqueued() == []
        order = Order.objects.get()
        self.queue.assert_enqueued(pay, args=(order.pk,), count=1)
        self.queue.assert_enqueued(thank, count=1)
        assert [it.value for it in self.queue.sync.drain(raise_errors=True)] == ["ada", "ada"]
        assert Order.objects.get().is_paid

    def test_both_kinds_of_body_see_the_transaction(self) -> None:
        """Where nothing is awaited, with rows that nobody else sees."""
        orders = [Order.objects.create(name=it) for it in ("ada", "bob")]
        pay.sync(orders[0].pk)
        pay_async.sync(orders[1].pk)
        assert sorted([it.value for it in self.queue.sync.drain(raise_errors=True)]) == ["ada", "bob"]
        assert Order.objects.filter(is_paid=True).count() == 2
        assert async_to_sync(count_orders)() == 2

    async def test_both_kinds_of_body_see_the_transaction_of_an_async_test(self) -> None:
        """On its loop, and below sync_to_async."""
        orders = [await Order.objects.acreate(name=it) for it in ("ada", "bob", "eve", "dan")]
        await pay(orders[0].pk)
        await pay_async(orders[1].pk)
        assert sorted([it.value for it in await self.queue.drain(raise_errors=True)]) == ["ada", "bob"]
        await pay(orders[2].pk)
        await pay_async(orders[3].pk)
        ran = await sync_to_async(self.queue.sync.drain)(raise_errors=True)
        assert sorted([it.value for it in ran]) == ["dan", "eve"]
        assert await count_orders(is_paid=True) == 4

    def test_night_comes(self) -> None:
        """The periodic task runs in this thread and transaction."""
        Order.objects.create(name="ada")
        assert clean.path in [it.name for it in self.queue.sync.advance(days=1)]
        assert not Order.objects.exists()

    def test_call_in_a_transaction_waits_at_once(self) -> None:
        """The test never commits."""
        with transaction.atomic():
            order = Order.objects.create(name="ada")
            pay.sync.enqueue_in(connection, order.pk)
        assert [it.value for it in self.queue.sync.drain(raise_errors=True)] == ["ada"]

    def test_options_are_those_of_the_call(self) -> None:
        """With and without a transaction's end."""
        with self.captureOnCommitCallbacks(execute=True):
            pay.options(delay=60).on_commit(7)
        self.queue.assert_enqueued(pay, args=(7,), within=61)
        with self.assertRaises(TypeError):
            pay.on_commit()  # type: ignore[call-arg]


class FrameworkTests(TestCase):
    """Tasks of Django's framework, whose backend is hueyio."""

    def setUp(self) -> None:
        """Have the queue until the test is over."""
        self.queue = HueyQueue(get_huey(), get_huey("mails"))
        self.queue.__enter__()
        self.addCleanup(self.queue.__exit__, None, None, None)
        self.heard: list[tuple[str, str, str]] = []
        for name, signal in (("enqueued", task_enqueued), ("started", task_started), ("finished", task_finished)):
            signal.connect(self._hear(name), weak=False, dispatch_uid=name)
            self.addCleanup(signal.disconnect, dispatch_uid=name)

    def _hear(self, name: str) -> Any:
        def hear(sender: Any, task_result: Any, **_: Any) -> None:
            assert sender is HueyBackend
            self.heard.append((name, task_result.task.name, str(task_result.status)))

        return hear

    def test_value_is_read_as_often_as_wanted(self) -> None:
        """All that Django asks of a result is there, and anybody may ask by its id."""
        result = double.enqueue(3, by=3)
        assert (result.status, result.args, result.kwargs) == (TaskResultStatus.READY, [3], {"by": 3})
        assert not result.is_finished
        assert double.get_result(result.id) == result
        self.queue.sync.drain(raise_errors=True)
        for _ in range(2):
            result.refresh()
            assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, 9)
        assert result.enqueued_at <= result.started_at <= result.finished_at
        assert result.last_attempted_at == result.started_at
        assert (result.attempts, result.errors) == (1, [])
        known = double.get_result(result.id)
        assert (known.task, known.args, known.kwargs) == (double, [3], {"by": 3})
        names = [("enqueued", "READY"), ("started", "RUNNING"), ("finished", "SUCCESSFUL")]
        assert self.heard == [(name, "double", state) for name, state in names]

    def test_failure_has_its_exception(self) -> None:
        """And its arguments; the task is on the queue of its name."""
        result = fail.enqueue("three lines:\nnot.this: one\nnor this")
        self.queue.assert_enqueued("shop.framework_tasks.fail", count=1)
        self.queue.sync.drain()
        result.refresh()
        assert result.status == TaskResultStatus.FAILED
        (error,) = result.errors
        assert error.exception_class is ValueError
        assert "three lines" in error.traceback
        with self.assertRaises(ValueError):
            _ = result.return_value
        known = fail.get_result(result.id)
        assert (known.task, known.args) == (fail, ["three lines:\nnot.this: one\nnor this"])
        assert self.heard[-1] == ("finished", "fail", "FAILED")
        no_value = no_json.enqueue()
        self.queue.sync.drain()
        no_value.refresh()
        assert no_value.errors[0].exception_class is TypeError

    def test_options_of_the_backend_are_those_of_tasks(self) -> None:
        """Two attempts, a minute apart, and one end."""
        result = fail.using(backend="again", queue_name="default").enqueue("no")
        self.queue.sync.drain()
        result.refresh()
        assert (result.status, result.attempts) == (TaskResultStatus.READY, 1)
        self.queue.sync.advance(minutes=2)
        result.refresh()
        assert (result.status, result.attempts, len(result.errors)) == (TaskResultStatus.FAILED, 2, 2)
        assert [it[0] for it in self.heard] == ["enqueued", "started", "started", "finished"]

    def test_priorities_and_times_are_kept(self) -> None:
        """The highest first, and nothing before its time."""
        later = double.using(run_after=datetime.now(UTC) + timedelta(hours=1)).enqueue(1)
        results = {it: double.using(priority=it).enqueue(it) for it in (0, -5, 7)}
        assert [it.value["value"] for it in self.queue.sync.drain()] == [14, 0, -10]
        later.refresh()
        assert later.status == TaskResultStatus.READY
        self.queue.sync.advance(hours=2)
        later.refresh()
        assert later.return_value == 2
        assert results[7].task == double.get_result(results[7].id).task

    def test_priority_is_refused_where_none_counts(self) -> None:
        """In a folder."""
        assert double.using(priority=-1).priority == -1
        with self.assertRaisesRegex(InvalidTask, "has no such priorities"):
            double.using(priority=-1, queue_name="files")

    def test_ids_of_others_are_refused(self) -> None:
        """One that there is not, and one of another task."""
        with self.assertRaises(TaskResultDoesNotExist):
            double.get_result("123")
        with self.assertRaisesRegex(Exception, "Task does not match"):
            double.get_result(fail.enqueue("no").id)

    def test_cancelled_task_has_failed(self) -> None:
        """Whoever cancelled it."""
        result = double.enqueue(3)
        assert get_huey().sync.cancel(result.id)
        self.queue.sync.drain()
        result.refresh()
        assert result.status == TaskResultStatus.FAILED
        assert result.errors[0].exception_class_path == "hueyio.exceptions.TaskCancelled"

    async def test_coroutines_are_enqueued_and_run_on_the_loop(self) -> None:
        """With the context, and in the transaction of the test."""
        result = await tell.aenqueue("ada")
        await self.queue.drain(raise_errors=True)
        await result.arefresh()
        assert result.return_value == [result.id, 1, "ada"]
        assert await Order.objects.filter(name="ada").aexists()
        assert [it[0] for it in self.heard] == ["enqueued", "started", "finished"]


class DashboardTests(TestCase):
    """The dashboard is in the admin, for those who may."""

    ROOT = "/admin/hueyio/queue/"
    FORM = "application/x-www-form-urlencoded"

    def setUp(self) -> None:
        """Have queues in memory, and people."""
        queue = HueyQueue(get_huey(), get_huey("mails"))
        queue.__enter__()
        self.addCleanup(queue.__exit__, None, None, None)
        self.root = User.objects.create_superuser("root")
        self.viewer, self.operator, self.staff = (User.objects.create_user(it, is_staff=True) for it in "vos")
        for user, codename in ((self.viewer, "view_queue"), (self.operator, "operate_queue")):
            user.user_permissions.add(Permission.objects.get(codename=codename))

    def test_visitors_without_the_permission_are_turned_away(self) -> None:
        """Those who are not logged in may do that."""
        assert self.client.get(self.ROOT).headers["location"] == f"/admin/login/?next={self.ROOT}"
        self.client.force_login(User.objects.create_user("customer"))
        assert self.client.get(f"{self.ROOT}shop/overview").status_code == 302
        self.client.force_login(self.staff)
        assert self.client.get(f"{self.ROOT}shop/overview").status_code == 403
        assert "Queues" not in self.client.get("/admin/").content.decode()

    def test_admin_leads_to_all_queues(self) -> None:
        """From its list of models to a page, its style and the other queue."""
        sent = mail.sync("ada")
        self.client.force_login(self.viewer)
        assert self.ROOT in self.client.get("/admin/").content.decode()
        first = self.client.get(self.ROOT)
        assert (first.status_code, first.headers["location"]) == (307, f"{self.ROOT}shop/overview")
        page = self.client.get(f"{self.ROOT}shop/overview").content.decode()
        (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        assert style.startswith(f"{self.ROOT}~static/")
        assert self.client.get(style).headers["content-type"].startswith("text/css")
        assert f"/mails/task/{sent.id}" in self.client.get(f"{self.ROOT}mails/tasks/ready").content.decode()
        assert self.client.get(f"{self.ROOT}nails/overview").status_code == 404

    def test_operator_pauses_a_queue_under_their_name(self) -> None:
        """One who may look may not."""
        huey = get_huey().sync
        for user, status in ((self.viewer, 403), (self.operator, 303)):
            self.client.force_login(user)
            page = self.client.get(f"{self.ROOT}shop/act/pause").content.decode()
            token = re.findall(r'name="token" value="([0-9a-f]+)"', page)
            sure = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
            fields = urlencode({**dict(sure), "token": token[0] if token else ""})
            response = self.client.post(
                f"{self.ROOT}shop/act/pause", fields, self.FORM, headers={"sec-fetch-site": "same-origin"}
            )
            assert response.status_code == status
            assert huey.is_paused() is (status == 303)
        assert [(it.actor, it.action) for it in huey.audit()] == [("o", "pause")]
        forged: Any = self.client.post(f"{self.ROOT}shop/act/resume", "token=", self.FORM)
        assert forged.status_code == 403

    def test_pages_are_plain_under_wsgi(self) -> None:
        """Nobody waits for events; what they would say now can be asked."""
        self.client.force_login(self.root)
        events = f"{self.ROOT}shop/events?topics=figures"
        assert self.client.get(events).status_code == 204
        assert self.client.get(f"{events}&once=1").headers["content-type"] == "application/json"

    async def test_pages_are_live_under_asgi(self) -> None:
        """Events come as they happen, until the visitor leaves."""
        await self.async_client.aforce_login(self.root)
        page = await self.async_client.get(f"{self.ROOT}shop/overview")
        assert page.status_code == 200
        (events,) = re.findall(r'data-events="([^"]+)"', page.content.decode())
        response: Any = await self.async_client.get(events.replace("&amp;", "&"))
        assert response.headers["content-type"].startswith("text/event-stream")
        assert [(await anext(response.streaming_content))[:6] for _ in range(2)] == [b"retry:", b"data: "]
        await response.streaming_content.aclose()
        stop_feeds([core_of(get_huey())])


class TransactionTests(TransactionTestCase):
    """Real commits, into the file that has the tasks too."""

    def setUp(self) -> None:
        """Begin with an empty queue: no test case empties it."""
        get_huey().sync.flush()

    def _state_of(self, result: Any) -> str:
        state: str = result.status()
        return state

    def test_row_and_task_are_one_transaction(self) -> None:
        """``enqueue_in`` on Django's own connection, inside of ``atomic``."""
        with transaction.atomic():
            order = Order.objects.create(name="ada")
            result = pay.sync.enqueue_in(connection, order.pk)
        assert self._state_of(result) == "ready"
        huey = get_huey().sync
        task = huey.dequeue()
        assert task is not None
        assert huey.execute(task) == "ada"

    def test_neither_is_there_after_a_rollback(self) -> None:
        """The task is gone with the row."""
        with self.assertRaises(ValueError), transaction.atomic():
            order = Order.objects.create(name="ada")
            result = pay.sync.enqueue_in(connection, order.pk)
            on_commit = pay.on_commit(order.pk)
            raise ValueError("no")
        assert not Order.objects.exists()
        assert self._state_of(result) == "unknown"
        assert self._state_of(on_commit) == "unknown"

    def test_only_the_inner_block_is_undone_when_it_is_rolled_back(self) -> None:
        """Its task goes with it, that of the outer block does not."""
        with transaction.atomic():
            order = Order.objects.create(name="ada")
            kept = [pay.sync.enqueue_in(connection, order.pk), thank(order.pk)]
            with suppress(ValueError), transaction.atomic():
                undone = [pay.sync.enqueue_in(connection, order.pk), thank(order.pk)]
                raise ValueError("no")
        assert [self._state_of(it) for it in (*kept, *undone)] == ["ready", "ready", "unknown", "unknown"]

    async def test_coroutines_are_told_that_they_have_no_transactions(self) -> None:
        """In Django's own words, and what to do instead."""
        with self.assertRaisesRegex(SynchronousOnlyOperation, r"use `await task\(\.\.\.\)` here"):
            pay.on_commit(7)
        with self.assertRaisesRegex(SynchronousOnlyOperation, "await task.aenqueue"):
            double.enqueue(1)
        with self.assertRaisesRegex(SynchronousOnlyOperation, "await task.aget_result"):
            double.get_result("123")

    def test_on_commit_enqueues_after_the_outermost_block(self) -> None:
        """And at once without one."""
        with transaction.atomic():
            order = Order.objects.create(name="ada")
            result = thank(order.pk)
            assert self._state_of(result) == "unknown"
        assert self._state_of(result) == "ready"
        assert self._state_of(thank(order.pk)) == "ready"

    def test_connection_is_closed_around_a_body_outside_of_transactions(self) -> None:
        """As around a request: CONN_MAX_AGE is 0."""
        with HueyQueue(get_huey()) as queue:
            Order.objects.create(name="ada")
            assert connection.connection is not None
            where.sync()
            (ran,) = queue.sync.drain(raise_errors=True)
            assert ran.value == (threading.current_thread().name, False)
            assert connection.connection is None

    def test_process_lane_is_declared(self) -> None:
        """Its body is run by the test of the worker."""
        assert pay_in_process.spec.lane == "process"
