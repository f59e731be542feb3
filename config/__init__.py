"""Settings, URLs, the worker and the local embedded services."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
