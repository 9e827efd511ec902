"""Settings of the peers that need Django: what `startproject` writes, on the benchmark's database."""

import os

import environ

SECRET_KEY = "a-fixed-key-for-benchmarks-alone-0123456789"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    *filter(None, os.environ.get("BENCH_APPS", "").split(",")),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
ROOT_URLCONF = os.environ.get("BENCH_URLS", "opsagent.bench.peers.plain")
DATABASES = {"default": environ.Env().db_url("DATABASE_URL")}
# Django's default is a connection for each request; the benchmarks measure both.
DATABASES["default"]["CONN_MAX_AGE"] = int(os.environ.get("BENCH_CONN_MAX_AGE", "0"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# django-q2's ORM broker as its documentation sets it up.
Q_CLUSTER = {
    "name": "stock",
    "orm": "default",
    "workers": int(os.environ.get("BENCH_WORKERS", "1")),
    "timeout": 30,
    "retry": 60,
    "queue_limit": 20,
    "bulk": 10,
}
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_" + "0" * 24
