"""Settings of ``script/squash``: one app has no migrations yet, those above it have none at all."""

import os

from config.settings.dev import *

_app = os.environ["SQUASHED_APP"]
_own = [app for app in INSTALLED_APPS if (BASE_DIR / app / "migrations").is_dir()]
MIGRATION_MODULES = {
    **dict.fromkeys(_own[_own.index(_app) :], None),
    _app: os.environ["SQUASHED_INTO"],
}
