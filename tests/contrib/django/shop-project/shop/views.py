"""Views, sync and async, that enqueue."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from shop.models import Order
from shop.tasks import mail, pay, pay_async, thank


@transaction.atomic
def order(request: HttpRequest, name: str) -> HttpResponse:
    """Have a row and its task committed together."""
    made = Order.objects.create(name=name)
    paying = pay.on_commit(made.pk)
    thank(made.pk)
    return HttpResponse(paying.id)


async def order_async(request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue from a coroutine."""
    made = await Order.objects.acreate(name=name)
    paying = await pay_async(made.pk)
    await mail(f"{name}@example.org")
    return HttpResponse(paying.id)
