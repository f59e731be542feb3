"""Settings of a local portal: demo data, demo clock, mail kept in the portal's own outbox page."""

from config.settings.base import *  # noqa: F403

DEBUG = env.flag("DEBUG", default=False)  # noqa: F405
DEMO_MODE = env.flag("DEMO_MODE", default=True)  # noqa: F405
