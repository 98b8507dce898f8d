"""What ``manage.py check`` says of the settings."""

from __future__ import annotations

from typing import Any

from django.core import checks

from hueyio.contrib.django.queues import all_hueys
from hueyio.contrib.django.settings import SettingsError

__all__ = ["check_settings"]


def check_settings(**_: Any) -> list[Any]:
    """Make the queues; what cannot be made is an error."""
    try:
        all_hueys()
    except SettingsError as error:
        return [checks.Error(str(error), id="hueyio.E001")]
    return []
