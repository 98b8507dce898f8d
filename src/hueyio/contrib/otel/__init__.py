"""OpenTelemetry for hueyio (``hueyio[otel]``): the spans and the metrics of what is enqueued and run."""

from __future__ import annotations

from hueyio.contrib.otel.instrument import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]
