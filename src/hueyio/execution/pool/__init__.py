"""Bodies in processes of their own, seen from the process that has them run; ``pool_process`` is the other end."""

from hueyio.execution.pool.pool import ProcessPool

__all__ = ["ProcessPool"]
