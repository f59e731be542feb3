"""Settings of the test run: the same servers, fast password hashing, mail in memory, no retries in time."""

import os

from config.settings.base import *

DEBUG = False
DEMO_MODE = True
# Each process of a parallel run empties a Valkey database of its own between tests; 0 belongs to the portal.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CACHES["default"]["LOCATION"] = REDIS_URL.rsplit("/", 1)[0] + f"/{1 + _worker}"
CELERY_BROKER_URL = CACHES["default"]["LOCATION"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Tests that speak to a gateway start one of their own and fill in where it is.
PAYMENT_LOCAL = {
    "merchant": "support-portal",
    "public_url": "http://127.0.0.1:1",
    "api_url": "http://127.0.0.1:1",
    "keys_dir": str(DATA_DIR / "paygate-test"),
}
# Nothing is collected for tests; static files are found where they stand.
WHITENOISE_AUTOREFRESH = True
