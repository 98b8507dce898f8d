"""The app: ``"hueyio.contrib.django"`` in INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from hueyio.contrib.django.checks import check_settings

__all__ = ["HueyioConfig"]


class HueyioConfig(AppConfig):
    """Brings the commands, the checks of the settings, and the queues in the admin."""

    name = "hueyio.contrib.django"
    label = "hueyio"
    verbose_name = "Task queues"
    default_auto_field = "django.db.models.BigAutoField"  # pyright: ignore[reportIncompatibleVariableOverride, reportAssignmentType]  # as Django's docs do

    def ready(self) -> None:
        """Have ``manage.py check`` look at the settings."""
        checks.register(check_settings)
