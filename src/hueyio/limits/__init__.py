"""Locks, semaphores and rate limits."""
