"""Settings of a local portal: demo data, demo clock, mail kept in the portal's own outbox page."""

from config.settings.base import *

DEBUG = env.flag("DEBUG", default=False)
DEMO_MODE = env.flag("DEMO_MODE", default=True)

# A demo shows how a bank transfer is paid, too.
PAYMENT_TRANSFER = PAYMENT_TRANSFER or {
    "account": "0200 0000 0000 0000 000",
    "account_name": f"{BRAND['name']}科技有限公司（演示账户）",
    "bank": "演示银行北京分行营业部",
}

# The local test gateway runs beside the portal (``billing.providers.local_gateway``).
_gateway = env.integer("PAYGATE_PORT", 8001)
PAYMENT_LOCAL = {
    "merchant": "support-portal",
    "public_url": env.text("PAYGATE_URL", f"{':'.join(SITE_URL.split(':')[:2])}:{_gateway}"),
    "api_url": f"http://127.0.0.1:{_gateway}",
    "keys_dir": str(DATA_DIR / "paygate"),
}
