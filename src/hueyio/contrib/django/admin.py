"""The queues in the admin: their dashboard is where the list of other models would be."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import path

from hueyio.contrib.django.dashboard import dashboard_in
from hueyio.contrib.django.models import Queue

__all__ = ["QueueAdmin"]


@admin.register(Queue)
class QueueAdmin(admin.ModelAdmin):
    """Shows the dashboard to those who may see it."""

    def get_urls(self) -> list[Any]:
        """Return the addresses: all of them are the dashboard's."""
        view = dashboard_in(self.admin_site)
        return [
            path("", view, name="hueyio_queue_changelist"),
            path("<path:rest>", view, name="hueyio_queue_page"),
        ]

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        """Who may operate may look."""
        return bool(super().has_view_permission(request, obj) or request.user.has_perm("hueyio.operate_queue"))

    def has_module_permission(self, request: Any) -> bool:
        """Show the app in the admin's list to those who may look."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: Any) -> bool:
        """Nothing can be added: the settings say which there are."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Nor changed."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nor deleted."""
        return False
