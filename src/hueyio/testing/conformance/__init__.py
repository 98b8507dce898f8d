"""The storage contract as tests: one class per topic, together ``StorageConformance``."""

from hueyio.testing.conformance.suite import StorageConformance

__all__ = ["StorageConformance"]
