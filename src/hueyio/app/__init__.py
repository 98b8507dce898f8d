"""Huey: what users see. It ties the lower rooms together and holds no algorithm."""

from hueyio.app.huey import Huey

__all__ = ["Huey"]
