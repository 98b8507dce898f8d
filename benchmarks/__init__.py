"""How fast hueyio is beside Huey, on the same server in the same run; ``python -m benchmarks --help``."""
