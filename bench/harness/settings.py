"""The local portal with two bare pages beside its own; both go through the same middleware on the same server."""

from config.settings.dev import *

ROOT_URLCONF = "bench.harness.urls"
# Outermost, so that it sees what the middleware asks too.
MIDDLEWARE = ["bench.harness.bare.QueryCountMiddleware", *MIDDLEWARE]
