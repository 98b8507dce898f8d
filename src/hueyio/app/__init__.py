"""Huey: declares tasks and ties the lower layers together. It holds no algorithm."""

from hueyio.app.base import HueyOptions
from hueyio.app.huey import Huey

__all__ = ["Huey", "HueyOptions"]
