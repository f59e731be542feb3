"""Production settings: secrets from the environment, TLS in front, no demo mode."""

from config import env
from config.settings.base import *

DEBUG = False
DEMO_MODE = False
if env.flag("DEMO_MODE", default=False):
    raise env.EnvironmentInvalid("DEMO_MODE is refused by the production settings")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz/$"]
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
# An address that nobody has confirmed could be somebody else's; a demo has no mailboxes to confirm from.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
