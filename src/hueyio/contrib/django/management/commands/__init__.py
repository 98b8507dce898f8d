"""``manage.py hueyio_worker`` and ``manage.py hueyio``."""
