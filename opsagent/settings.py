"""Settings from the environment (opsagent/environment.py lists the variables); importing starts nothing."""

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from opsagent.environment import DEMO, PRODUCTION, TEST, local_secret_key, passkey_site
from opsagent.logs import LOG_LEVELS, logging_config

# Lets admin classes and managers name their model's type at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env") if (BASE_DIR / ".env").is_file() else None

MODE: str = env.str("OPSAGENT_MODE", default=DEMO)
DATA_DIR = Path(env.str("OPSAGENT_DATA_DIR", default="") or BASE_DIR / ".data").absolute()
HEARTBEAT_SECONDS: int = env.int("OPSAGENT_HEARTBEAT_SECONDS", default=12)
RECONCILE_SECONDS: int = env.int("OPSAGENT_RECONCILE_SECONDS", default=300)
PLANNER: str = env.str("OPSAGENT_PLANNER", default="rules")
LLM_MODEL: str = env.str("OPSAGENT_LLM_MODEL", default="")
LLM_API_BASE: str = env.str("OPSAGENT_LLM_API_BASE", default="")
LLM_API_KEY: str = env.str("OPSAGENT_LLM_API_KEY", default="")
LLM_DEADLINE_SECONDS: float = env.float("OPSAGENT_LLM_DEADLINE_SECONDS", default=30.0)
SITE_URL: str = env.str("OPSAGENT_SITE_URL", default="").rstrip("/")
PASSKEY_RP_ID, PASSKEY_ORIGINS = passkey_site(
    env.str("PASSKEY_RP_ID", default=""),
    env.list("PASSKEY_ORIGINS", default=[]),
    SITE_URL or ("" if MODE == PRODUCTION else "http://localhost:8000"),
)

DEBUG = False
SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY and MODE == TEST:
    SECRET_KEY = "a-fixed-key-for-tests-alone-" + "0123456789" * 4
elif not SECRET_KEY and MODE == DEMO:
    SECRET_KEY = local_secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[] if MODE == PRODUCTION else [*LOOPBACK_HOSTS, "testserver"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "opsagent.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_q",
    "anymail",
    "csp",
    "rest_framework",
    "audit",
    "tools",
    "approvals",
    "cases",
    "opsagent.apps.OpsagentConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "opsagent.unreachable.Unreachable",
]

ROOT_URLCONF = "opsagent.urls"
WSGI_APPLICATION = "opsagent.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_URL: str = env.str("DATABASE_URL", default="")
# The file in which a running embedded server says where its socket is.
POSTGRES_PLACE = DATA_DIR / "postgres.place"
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL")
    if DATABASE_URL
    else {"ENGINE": "opsagent.database", "NAME": "opsagent", "USER": "opsagent"}
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# The queue's processes ask for their connection at every task; tests must let go of theirs at the end.
DATABASES["default"]["CONN_MAX_AGE"] = 0 if MODE == TEST else 600
DATABASES["default"]["TEST"] = {"NAME": "test_opsagent"}
# A server that vanished from the network must not keep a sender waiting for the kernel's two minutes.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "cases.User"
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if MODE == TEST
    else [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
OTP_TOTP_ISSUER = "opsagent"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "opsagent" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "opsagent.formats"
USE_TZ = True

STATIC_URL = "static/"
if MODE == PRODUCTION:
    STATIC_ROOT = Path(env.str("OPSAGENT_STATIC_DIR", default="") or DATA_DIR / "static").absolute()
WHITENOISE_USE_FINDERS = MODE != PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE == PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "frame-src": [NONE],
        "img-src": [SELF],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if MODE == PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Whether a whole domain speaks TLS alone is for its owner to say, not for one site on it.
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_PROXY = env.bool("OPSAGENT_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# A webhook is bounded by its own view, before the body is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = (
    "django.core.mail.backends.locmem.EmailBackend"
    if MODE == TEST
    else "django.core.mail.backends.dummy.EmailBackend"
)
# Connect and read, in seconds: the limits of every other call to a vendor.
ANYMAIL: dict[str, Any] = {"REQUESTS_TIMEOUT": (5, 10)}
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

TASK_SECONDS = 30
Q_CLUSTER: dict[str, Any] = {
    "name": "default",
    "orm": "default",
    "broker_class": "opsagent.broker.Broker",
    "workers": 1,
    "timeout": TASK_SECONDS,
    # The retry clock runs while a task waits in memory; a domain row that was
    # forgotten is found by the watch process, long before this.
    "retry": 10 * TASK_SECONDS,
    "ack_failures": True,
    "max_attempts": 1,
    "queue_limit": 20,
    "bulk": 10,
    "catch_up": False,
    "save_limit": -1,
    "scheduler": False,
    "poll": 1,
    "recycle": 5000,
    "label": "Queue",
    "ALT_CLUSTERS": {
        "urgent": {"bulk": 5},
        # An LLM may take its whole deadline, so planner tasks get more time.
        "planner": {"workers": 2, "timeout": 120, "retry": 1200, "bulk": 5},
        "bulk": {"timeout": 120, "retry": 1200},
    },
}

LOG_LEVEL: str = env.str("OPSAGENT_LOG_LEVEL", default="") or "INFO"
LOG_FORMAT: str = env.str("OPSAGENT_LOG_FORMAT", default="json" if MODE == PRODUCTION else "console")
# An unknown level is reported by a system check, which needs logging to be set up.
LOGGING = logging_config(LOG_LEVEL if LOG_LEVEL in LOG_LEVELS else "INFO", LOG_FORMAT)
