"""The storage contract as tests: one class per topic, together ``StorageConformance``."""

from hueyio.testing.storage.conformance.suite import StorageConformance

__all__ = ["StorageConformance"]
