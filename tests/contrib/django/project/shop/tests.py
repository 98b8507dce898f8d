"""The shop's own tests, in Django's way. ``manage.py test`` runs them."""

from __future__ import annotations

import threading
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from hueyio.contrib.django import get_huey
from hueyio.testing import HueyQueue, run_inline
from shop.models import Order
from shop.tasks import clean, mail, pay, pay_async, pay_in_process, thank, where


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

    async def test_coroutines_see_the_transaction_of_an_async_test(self) -> None:
        """Also a task with a ``def`` body, called where Django runs sync code."""
        order = await Order.objects.acreate(name="ada")
        assert await (await pay_async(order.pk)) == "ada"
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

    def test_night_comes(self) -> None:
        """The periodic task runs in this thread and transaction."""
        Order.objects.create(name="ada")
        assert clean.path in [it.name for it in self.queue.sync.advance(days=1)]
        assert not Order.objects.exists()

    def test_options_are_those_of_the_call(self) -> None:
        """With and without a transaction's end."""
        with self.captureOnCommitCallbacks(execute=True):
            pay.options(delay=60).on_commit(7)
        self.queue.assert_enqueued(pay, args=(7,), within=61)
        with self.assertRaises(TypeError):
            pay.on_commit()  # type: ignore[call-arg]


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
            result = pay.sync.enqueue_in(connection.connection, order.pk)
        assert self._state_of(result) == "ready"
        huey = get_huey().sync
        task = huey.dequeue()
        assert task is not None
        assert huey.execute(task) == "ada"

    def test_neither_is_there_after_a_rollback(self) -> None:
        """The task is gone with the row."""
        with self.assertRaises(ValueError), transaction.atomic():
            order = Order.objects.create(name="ada")
            result = pay.sync.enqueue_in(connection.connection, order.pk)
            on_commit = pay.on_commit(order.pk)
            raise ValueError("no")
        assert not Order.objects.exists()
        assert self._state_of(result) == "unknown"
        assert self._state_of(on_commit) == "unknown"

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
