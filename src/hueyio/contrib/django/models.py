"""What the admin shows, and what permissions are about. It has no table."""

from __future__ import annotations

from django.db import models

__all__ = ["Queue"]


class Queue(models.Model):
    """The queues of the settings: who has the permission ``view`` may look, who has ``operate`` may act."""

    class Meta:
        app_label = "hueyio"
        managed = False
        default_permissions = ("view",)
        permissions = (("operate_queue", "Can operate queues"),)
        verbose_name = "queue"
        verbose_name_plural = "queues"
