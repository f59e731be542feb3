"""Settings shared by every deployment. Everything that differs is read from the environment by ``config.env``."""

from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env, mail, payments

# Generic classes of Django that the type annotations subscript.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / ".local")

SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", "")
SITE_URL = env.text("SITE_URL", "http://localhost:8000").rstrip("/")
DEMO_MODE = False

INSTALLED_APPS = [
    "core",
    "accounts",
    "messaging",
    "supportplans",
    "billing",
    "tickets",
    "servicedesk",
    "onlineservice",
    "reports",
    "allauth",
    "allauth.account",
    "django_htmx",
    "template_partials",
    "lucide",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "config.backoffice.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
]

MIDDLEWARE = [
    "config.proxy.ClientAddressMiddleware",
    "config.requests.RefuseNulMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "tickets.polls.ConsolePollMiddleware",
    "core.middleware.NullCharacterMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.IdentityMiddleware",
    "core.tenancy.middleware.TenantScopeMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["core.templatetags.ui", "django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.portal",
            ],
        },
    },
]

# Tables belong to portal_owner; everything that runs connects as portal_app (see core.tenancy).
DATABASE_AS = env.text("DATABASE_AS", "app")
DATABASES = {
    "default": {
        **env.database("DATABASE_OWNER_URL" if DATABASE_AS == "owner" else "DATABASE_URL"),
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": env.integer("CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        # PgBouncer pools transactions: a cursor that outlives one would meet another server.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "portal",
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "jobs:", "visibility_timeout": 900}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# The sweep over response clocks has a worker to itself: no slow mail server and no report keeps it waiting.
CELERY_TASK_ROUTES = {"tickets.sweep": {"queue": "timers"}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
# Deadlines stand in the database; these sweeps take what is due. Every one may run twice.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "heartbeat": {"task": "accounts.heartbeat", "schedule": 15.0},
    "messages": {"task": "messaging.messages_expand", "schedule": 10.0},
    "mails-process": {"task": "messaging.mails_process", "schedule": 15.0},
    "mailbox-poll": {
        "task": "messaging.mailbox_poll",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "mails-raw-discard": {"task": "messaging.raw_discard", "schedule": 3600.0},
    "deliveries": {"task": "messaging.deliveries_send", "schedule": 20.0},
    "terms": {"task": "supportplans.subscriptions_expire_due", "schedule": 30.0},
    "links-carry": {"task": "supportplans.links_carry", "schedule": 30.0},
    "links-end": {"task": "supportplans.links_end_due", "schedule": 300.0},
    "monthly-reports": {"task": "reports.month_due", "schedule": 3600.0},
    "end-notices": {"task": "supportplans.end_notices_send", "schedule": 300.0},
    "orders-provision": {"task": "billing.orders_provision_due", "schedule": 15.0},
    "auto-renewals": {"task": "billing.auto_renewals_run", "schedule": 600.0},
    "orders-expire": {"task": "billing.orders_expire_due", "schedule": 30.0},
    "coupons-expire": {"task": "billing.coupons_expire_due", "schedule": 60.0},
    "payments-follow": {"task": "billing.payments_follow_due", "schedule": 10.0},
    "refunds-follow": {"task": "billing.refunds_follow_due", "schedule": 15.0},
    # From two in the morning, until the providers have finished their lists of the day before.
    "reconcile": {"task": "billing.reconcile_due", "schedule": 900.0},
    "ledger-prove": {"task": "billing.ledger_prove_due", "schedule": 900.0},
    # A sweep that waited longer than the next one is dropped: the next one does its work.
    "ticket-stages": {"task": "tickets.sweep", "schedule": 5.0, "options": {"expires": 5}},
    # Places that come free are filled soon; a submission wakes the dealing by itself.
    "ticket-dealing": {
        "task": "tickets.tickets_deal",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "attachments-check": {"task": "tickets.attachments_check", "schedule": 20.0},
    "attachments-unsent": {"task": "tickets.unsent_discard", "schedule": 3600.0},
    "ticket-closing": {"task": "tickets.tickets_close_due", "schedule": 300.0},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.StaffRoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "supportplans:plan_compare"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupExtras"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.models.users.display_name"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
STATIC_ROOT = env.directory("STATIC_ROOT", DATA_DIR / "staticfiles")
# Made out of packages at set-up, like static files: part of an image, not of a deployment's data.
FONTS_ROOT = env.directory("FONTS_ROOT", DATA_DIR / "fonts")
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
# What looks through uploaded files: clamav://host:3310 or clamav+unix:///run/clamav/clamd.ctl (docs/operator-guide.md).
SCANNER_URL = env.text("SCANNER_URL", "")
SCANNER_TIMEOUT = env.integer("SCANNER_TIMEOUT", 30)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "support@example.com")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Replies by mail (docs/operator-guide.md): the address that they go to, the keys that sign it (id:secret, the one for
# new addresses first), and how mail comes in: a signed webhook, a mailbox, or both.
MAIL_REPLY_ADDRESS = env.text("MAIL_REPLY_ADDRESS", "")
MAIL_REPLY_KEYS = mail.reply_keys(SECRET_KEY)
MAIL_WEBHOOK_SECRET = env.text("MAIL_WEBHOOK_SECRET", "")
MAIL_MAX_BYTES = 30 * 1024 * 1024
MAIL_IMAP_URL = env.text("MAIL_IMAP_URL", "")
MAIL_IMAP_USER = env.text("MAIL_IMAP_USER", "")
MAIL_IMAP_PASSWORD = env.text("MAIL_IMAP_PASSWORD", "")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "core.api.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.problem_details",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Support plan portal",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "OrderStateEnum": "billing.states.OrderState",
        "TicketStateEnum": "tickets.states.TicketState",
        "ServiceOrderStateEnum": "servicedesk.states.State",
        "TicketKindEnum": "tickets.states.TicketKind",
        "DeliverableKindEnum": "servicedesk.states.DeliverableKind",
    },
}

# Reverse proxies of our own in front of the portal; the client's address is read from what they add.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0)

# How long an order waits for its payment (domain.md §4), and where providers send their notifications.
PAYMENT_NOTIFY_ORIGIN = env.text("PAYMENT_NOTIFY_ORIGIN", SITE_URL).rstrip("/")
# The local test gateway; development and demos fill it in, production never does.
PAYMENT_LOCAL: dict[str, str] = {}
# Wallets that are configured here, and the most that one payment by each may be (docs/operator-guide.md).
PAYMENT_ALIPAY = payments.alipay()
PAYMENT_WECHATPAY = payments.wechatpay()
PAYMENT_BESTPAY = payments.bestpay()
PAYMENT_LIMITS = payments.limits()
# The account that bank transfers go to.
PAYMENT_TRANSFER = payments.transfer()

# Brand and channels: facts of the provider that runs the portal (guide 1.5.1); the default name is the guide's.
BRAND = {
    "name": env.text("BRAND_NAME", "天翼云"),
    "name_en": env.text("BRAND_NAME_EN", "CTyun"),
    "hotline": env.text("BRAND_HOTLINE", "400-810-9889"),
    "im_group_pattern": env.text("BRAND_IM_GROUP", "天翼云 VIP 客户-{customer}"),
    "marketplace": _("应用商城-云市场"),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
