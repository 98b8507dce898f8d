"""Huey: declares tasks and ties the lower layers together. It holds no algorithm."""

from hueyio.app.base import Base, HueyOptions, find_huey
from hueyio.app.huey import Huey

__all__ = ["Base", "Huey", "HueyOptions", "find_huey"]
