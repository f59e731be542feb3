"""The Celery application. Tasks live in each app's ``tasks.py``; the schedule stands here."""

import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("portal", task_cls="core.tenancy.celery:ScopedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def leave_the_group(**_: object) -> None:
    """Let signals to the group (Ctrl-C, a process manager's SIGTERM) reach the worker's main process only.

    It lets its pool finish what it has begun; a pool process that ended by itself would lose its task to a retry.
    """
    os.setpgid(0, 0)


worker_process_init.connect(leave_the_group)
