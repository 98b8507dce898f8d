"""The command line, ``hueyio COMMAND``.

``main`` is the entry and ``registry`` names the commands. ``worker`` runs tasks, and has its options from the classes
that it fills. All others look at a queue and steer it: they are in ``commands``, one module each, and share ``place``
(where the queue is), ``visit`` (the session to it), ``output`` (what is printed how) and ``failures`` (exit codes).
"""
