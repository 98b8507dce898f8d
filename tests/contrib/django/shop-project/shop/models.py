"""What the shop keeps."""

from django.db import models


class Order(models.Model):
    """Somebody wants something."""

    name = models.CharField(max_length=100)
    is_paid = models.BooleanField(default=False)
