"""A small shop to look at: ``hueyio demo``."""
