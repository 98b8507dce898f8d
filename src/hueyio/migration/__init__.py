"""Moves a queue of Huey's into one of hueyio's, while it is in use, and without importing Huey."""
