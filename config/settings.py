"""All settings, in one file read downwards, each from the environment or ``.env``. ``.env.example`` names them all.

The defaults run on a fresh clone, for development. ``DEBUG=0`` asks for a secret key and refuses to start without.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import __version__
from config.storage.databases import store_from_url

BASE_DIR = Path(__file__).resolve().parent.parent

TESTING = "pytest" in sys.modules

env = environ.FileAwareEnv()
if not TESTING:  # tests mean the same on every machine
    environ.Env.read_env(BASE_DIR / ".env")


def read(name: str, cast: str, default: object) -> object:
    """A variable of the environment; a malformed one is an error that names it."""
    try:
        return getattr(env, cast)(name, default=default)
    except (ValueError, TypeError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is malformed: {error}") from None


# Where it runs

DEBUG = bool(read("DEBUG", "bool", True))
BASE_URL = str(read("BASE_URL", "str", "http://127.0.0.1:8000")).rstrip("/")
if not BASE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured("BASE_URL must begin with http:// or https://.")
HTTPS = BASE_URL.startswith("https://")
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    BASE_URL.split("://")[1].rsplit(":", 1)[0] if BASE_URL.count(":") > 1 else BASE_URL.split("://")[1],
    *read("ALLOWED_HOSTS", "list", []),  # type: ignore[misc]
]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TRUSTED_PROXIES = int(str(read("TRUSTED_PROXIES", "int", 0)))

DEVELOPMENT_KEY = "django-insecure-for-development-on-this-machine-only"
SECRET_KEY = str(read("SECRET_KEY", "str", DEVELOPMENT_KEY if DEBUG else ""))
if not DEBUG and (len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 5 or SECRET_KEY == DEVELOPMENT_KEY):
    raise ImproperlyConfigured(
        "DEBUG=0 needs SECRET_KEY (or SECRET_KEY_FILE): 32 random characters or more, such as those of: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

# How many requests the API takes in 60 seconds from one address, one key and one account; 0 is no limit

RATE_LIMIT_ADDRESS = int(str(read("RATE_LIMIT_ADDRESS", "int", 1_000)))
RATE_LIMIT_KEY = int(str(read("RATE_LIMIT_KEY", "int", 500)))
RATE_LIMIT_ACCOUNT = int(str(read("RATE_LIMIT_ACCOUNT", "int", 2_000)))
for _name, _limit in {"ADDRESS": RATE_LIMIT_ADDRESS, "KEY": RATE_LIMIT_KEY, "ACCOUNT": RATE_LIMIT_ACCOUNT}.items():
    if not 0 <= _limit <= 1_000_000:
        raise ImproperlyConfigured(f"RATE_LIMIT_{_name} must be from 0 to 1000000.")

# What it stores, and where

AUDIT_DAYS = int(str(read("AUDIT_DAYS", "int", 0)))
if not 0 <= AUDIT_DAYS <= 36_500:
    raise ImproperlyConfigured("AUDIT_DAYS must be from 0 to 36500.")

STORE = store_from_url(str(read("DATABASE_URL", "str", "sqlite:///var/parley.sqlite3")), base_dir=BASE_DIR)
DATABASES = {"default": STORE.database}
DEFAULT_AUTO_FIELD = STORE.auto_field
MIGRATION_MODULES = STORE.migration_modules
SILENCED_SYSTEM_CHECKS = [
    *STORE.silenced_checks,
    "security.W008",  # http to https is the proxy's to redirect: it knows what the client asked for
]

# What it is made of

_contrib = (
    [f"config.storage.mongodb.apps.Mongo{app}Config" for app in ("Admin", "Auth", "ContentTypes", "Sessions")]
    if STORE.is_mongodb
    else [f"django.contrib.{app}" for app in ("admin", "auth", "contenttypes", "sessions")]
)
INSTALLED_APPS = [
    "accounts",
    "conversations",
    *_contrib,
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "accounts.origin.OriginMiddleware",
    "config.access.AccessMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.headers.HeadersMiddleware",
    "config.compression.GZipMiddleware",
    "config.headers.PolicyMiddleware",
    "accounts.throttling.ThrottlingMiddleware",
    "conversations.ready.ReadyAnswers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "config.zone.ZoneMiddleware",
    "config.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.errors.SlowSearch",
]
PAGES_MIDDLEWARE = {
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "config.zone.ZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.errors.SlowSearch",
}
# What pages alone need, the API's requests do not go through (config.wsgi)
API_MIDDLEWARE = [name for name in MIDDLEWARE if name not in PAGES_MIDDLEWARE]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.throttling.ThrottledKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["conversations.wire.WireRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsing.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.JSONOnly",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "config.schema.ApiSchema",
    "EXCEPTION_HANDLER": "config.errors.api_exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Parley",
    "VERSION": __version__,
    "SERVERS": [{"url": "/"}],
    "TAGS": [{"name": name} for name in ("Conversations", "Analytics", "API keys", "Audit log", "About")],
    "POSTPROCESSING_HOOKS": ["config.operations.complete"],
}

# People

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 3600
if TESTING:  # a slow hash is for real passwords
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Signing in: django-allauth, by e-mail, for people who were invited. accounts.guesses limits passwords; allauth's own
# limits are for the rest, through a cache that all processes share

CACHES = {"default": {"BACKEND": "accounts.cache.StoreCache"}}
ALLAUTH_DEFAULT_AUTO_FIELD = STORE.auto_field if STORE.is_mongodb else None
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.sign_in_forms.SignInForm", "reset_password": "accounts.sign_in_forms.ResetForm"}
DOES_LATER = not TESTING  # mails whose sending would tell who is here (accounts.later)
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address was invited, or typed in by an operator
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # whoever types in a stranger's address must not send them mail
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_SESSION_REMEMBER = True
MFA_FORMS = {
    "authenticate": "accounts.second_factor.CodeForm",
    "reauthenticate": "accounts.second_factor.ConfirmCodeForm",
}
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": "5/5m/key",  # codes of the second factor
    "reset_password": "20/m/ip,3/5m/key",
}
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_TOTP_ISSUER = "Parley"
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds either way: for clocks that differ, and codes on their way (RFC 6238, 5.2)
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True

# Single sign-on by OpenID Connect, where it is configured

OIDC_ISSUER = str(read("OIDC_ISSUER", "str", "")).rstrip("/")
OIDC_CLIENT_ID, OIDC_CLIENT_SECRET = str(read("OIDC_CLIENT_ID", "str", "")), str(read("OIDC_CLIENT_SECRET", "str", ""))
OIDC_NAME = str(read("OIDC_NAME", "str", "")) or "single sign-on"
if len({bool(OIDC_ISSUER), bool(OIDC_CLIENT_ID), bool(OIDC_CLIENT_SECRET)}) > 1:
    raise ImproperlyConfigured("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET go together: set all or none.")
_issuer = urlsplit(OIDC_ISSUER)
if OIDC_ISSUER and not (_issuer.scheme == "https" or _issuer.hostname in ("127.0.0.1", "localhost", "::1")):
    raise ImproperlyConfigured("OIDC_ISSUER must begin with https://.")
if OIDC_ISSUER:
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")  # it has no tables, and takes long to load
OIDC_ORIGIN = f"{_issuer.scheme}://{_issuer.netloc}" if OIDC_ISSUER else ""
SOCIALACCOUNT_ADAPTER = "accounts.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

# Mail: without EMAIL_URL it is written to standard output

_mail: dict[str, object] = read("EMAIL_URL", "email_url", "consolemail://")  # type: ignore[assignment]
globals().update({name: value for name, value in _mail.items() if name.startswith("EMAIL_") and value})
EMAIL_TIMEOUT = 10  # seconds that somebody waits for a page whose mail goes nowhere
DEFAULT_FROM_EMAIL = str(read("DEFAULT_FROM_EMAIL", "str", f"Parley <parley@{urlsplit(BASE_URL).hostname}>"))
if "@" not in DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured("DEFAULT_FROM_EMAIL must be an address, such as Parley <parley@example.com>.")

# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]  # each by its own name: whoever looks for it reads it
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
LANGUAGE_COOKIE_NAME = "language"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# Static files: served by the application itself, compressed, under names that change with their content

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / ("static-of-tests" if TESTING else "static")
_sidecar = Path(str(find_spec("drf_spectacular_sidecar").origin)).parent  # type: ignore[union-attr]
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    # Not as an app: that would bring Redoc too
    ("swagger-ui", _sidecar / "static" / "drf_spectacular_sidecar" / "swagger-ui-dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.static.StaticStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False  # pages of other sites have no use for them
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS  # looked for when asked for; each test's client would list them all
if WHITENOISE_USE_FINDERS:  # nothing is collected there, but WhiteNoise warns where no folder is
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# What browsers are told

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Numbers for Prometheus, at /metrics, for who has this token

METRICS_TOKEN = str(read("METRICS_TOKEN", "str", ""))
if METRICS_TOKEN and not (len(METRICS_TOKEN) >= 16 and METRICS_TOKEN.isascii() and METRICS_TOKEN.isprintable()):
    raise ImproperlyConfigured("METRICS_TOKEN must have 16 characters or more, of ASCII.")

# Logs: to standard error, each line with its request's id; never a value that somebody sent (config.logs)

LOG_LEVEL = str(read("LOG_LEVEL", "str", "INFO")).upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
LOG_FORMAT = str(read("LOG_FORMAT", "str", "text")).lower()
if LOG_FORMAT not in ("text", "json"):
    raise ImproperlyConfigured("LOG_FORMAT must be text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_traceback": {"()": "accounts.origin.NoTracebackFilter"}},
    "formatters": {"line": {"()": f"config.logs.{LOG_FORMAT.capitalize()}Formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "level": LOG_LEVEL}},
    # What drivers write for their debugging holds what they send to the store
    "root": {"handlers": ["stderr"], "level": "INFO" if LOG_LEVEL == "DEBUG" else LOG_LEVEL},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in ("accounts", "config", "conversations")},
        "django": {"handlers": [], "level": "NOTSET"},
        "django.request": {"level": "ERROR"},  # refusals stand in the access log
        "django.server": {"handlers": [], "level": "ERROR"},  # of runserver: whole addresses, with what is searched for
        # Any stranger can ask for another host: a line each time, not a page
        "django.security.DisallowedHost": {"filters": ["no_traceback"]},
    },
}

# Reports of failures, to Sentry or to what speaks its protocol: without any value that was sent (config.reports)

SENTRY_DSN = str(read("SENTRY_DSN", "str", ""))
if SENTRY_DSN:
    from config.reports import report_to

    report_to(SENTRY_DSN)
