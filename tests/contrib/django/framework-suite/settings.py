"""Settings for the tests of Django's own task framework."""

SECRET_KEY = "no secret"
USE_TZ = True
INSTALLED_APPS = ["hueyio.contrib.django"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
HUEYIO = {
    "default": {"CLASS": "hueyio.MemoryHuey"},
    "immediate": {"CLASS": "hueyio.MemoryHuey", "OPTIONS": {"immediate": True}},
}
