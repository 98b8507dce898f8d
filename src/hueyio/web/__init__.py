"""The dashboard: pages about queues, and actions on them, as an ASGI application (``hueyio[web]``)."""
