"""The project, as workers and commands have it: ``hueyio worker hueyio.contrib.django.project:default``.

To import it is to do what ``manage.py`` would: Django is set up, and the module ``tasks`` of each app is imported. That
is why it is a module of its own, and imported by nothing else. Its attributes are the queues of the settings.
"""

from __future__ import annotations

import logging
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from hueyio.contrib.django.queues import all_hueys

if not apps.ready:
    django.setup()
autodiscover_modules("tasks")

# Django's own default writes to the console what the worker's log has too. A project that sets LOGGING says it itself.
if logging.root.handlers and not settings.LOGGING:
    console = [it for it in logging.getLogger("django").handlers if type(it) is logging.StreamHandler]
    for handler in console:
        logging.getLogger("django").removeHandler(handler)


def __getattr__(name: str) -> Any:
    """Return the Huey of this alias."""
    if name.startswith("_") or name not in (hueys := all_hueys()):
        raise AttributeError(f"the settings have no queue {name!r}")
    return hueys[name]
