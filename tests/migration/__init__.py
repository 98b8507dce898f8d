"""Queues that Huey itself has written, moved into hueyio's."""
