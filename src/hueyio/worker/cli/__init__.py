"""The command line, ``hueyio COMMAND``: one module for each command, named in ``registry``, run by ``main``."""
