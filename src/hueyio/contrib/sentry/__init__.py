"""Sentry for hueyio (``hueyio[sentry]``): an event for each task that failed, transactions, and check-ins."""

from __future__ import annotations

from hueyio.contrib.sentry.instrument import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]
