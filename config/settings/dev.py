"""Settings of a local portal: demo data, demo clock, mail kept in the portal's own outbox page."""

from config.settings.base import *

DEBUG = env.flag("DEBUG", default=False)
DEMO_MODE = env.flag("DEMO_MODE", default=True)
