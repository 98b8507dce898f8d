"""Settings of a small shop. Its tasks are in the file of its database, so that both can be one transaction."""

import sys
from importlib.util import find_spec
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
DJANGO_TASKS = "django.tasks" if find_spec("django.tasks") else "django_tasks"

SECRET_KEY = "no secret"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "site_of_shop.urls"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "hueyio.contrib.django",
    "shop",
    *(["django_tasks"] if DJANGO_TASKS == "django_tasks" else []),
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "shop.db",
        "TEST": {"NAME": BASE_DIR / "test.db"},
    }
}

HUEYIO = {
    "default": {"FILE": BASE_DIR / ("test.db" if "test" in sys.argv else "shop.db"), "NAME": "shop"},
    "mails": {"FILE": BASE_DIR / "mails.db"},
    "files": {"CLASS": "hueyio.FileHuey", "FILE": BASE_DIR / "files"},
}
TASKS = {
    "default": {"BACKEND": "hueyio.contrib.django.backend.HueyBackend", "QUEUES": ["default", "mails", "files"]},
    "again": {
        "BACKEND": "hueyio.contrib.django.backend.HueyBackend",
        "OPTIONS": {"HUEY": "mails", "retries": 1, "retry_delay": 60},
    },
}
