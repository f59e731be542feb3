"""The portal's URLs and, only here, the bare pages that its own are measured against."""

from django.urls import path

from bench.harness import bare
from config.urls import urlpatterns as portal

urlpatterns = [
    path("bare/", bare.anonymous),
    path("bare/rows/", bare.rows),
    path("bare/insert/", bare.insert),
    *portal,
]
