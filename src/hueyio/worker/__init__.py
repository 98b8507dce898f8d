"""A worker process: what is around the consumers that run in it."""
