"""What such a project does with its tasks, in immediate mode; it prints what came of it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_shop.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from hueyio.contrib.djhuey import HUEY  # noqa: E402
from shop.models import Order  # noqa: E402

tasks: Any = import_module("shop.tasks")

call_command("migrate", run_syncdb=True, verbosity=0)
with transaction.atomic():
    order = Order.objects.create(name="ada")
    thanks = tasks.thank(order.pk)
    on_commit = tasks.add.on_commit(3, 4)
    print(HUEY.name, HUEY.immediate, tasks.add(1, 2).get(), tasks.pay(order.pk)(), tasks.heard)
print(thanks(), on_commit(), tasks.pay.call_local(order.pk), tasks.clean.path)
