"""Servers and deployments that the tests start, stop and cut off."""
