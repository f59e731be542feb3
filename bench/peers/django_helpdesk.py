"""django-helpdesk as its documentation sets it up: a site for gunicorn, and programs for its own environment.

Without teams, which it offers as an extra. Where the documentation leaves a choice, the cheaper one is taken: mail is
rendered and thrown away, sessions are cached in memory, templates are cached, nothing is debugged. It has as many
tickets as the portal, as many of them open, and as many messages to each.
"""

import json
import os
import sys

import django
from django.conf import settings
from django.urls import include, path

from bench.harness.loop import serve

TICKETS, DUE = 200_000, 200
PASSWORD = "a benchmark keeps no secrets"
MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)
DATABASE = {**json.loads(os.environ["PEER_DATABASE"]), "CONN_MAX_AGE": 60}

settings.configure(
    DATABASES={"default": DATABASE},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "django.contrib.sites",
        "django.contrib.admin",
        "django.contrib.humanize",
        "rest_framework",
        "helpdesk",
    ],
    MIDDLEWARE=MIDDLEWARE,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY=PASSWORD,
    SITE_ID=1,
    USE_TZ=True,
    TIME_ZONE="Asia/Shanghai",
    STATIC_URL="/static/",
    MEDIA_ROOT=os.environ.get("PEER_MEDIA", ""),
    LOGIN_URL="/helpdesk/login/",
    LOGIN_REDIRECT_URL="/helpdesk/",
    SESSION_ENGINE="django.contrib.sessions.backends.cached_db",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    HELPDESK_TEAMS_MODE_ENABLED=False,
)
django.setup()

from django.contrib import admin  # noqa: E402  (models need the settings)
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from helpdesk.models import Queue, Ticket  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls), path("helpdesk/", include("helpdesk.urls"))]
application = get_wsgi_application()

FILLING = """
INSERT INTO helpdesk_ticket (title, queue_id, created, modified, submitter_email, status, on_hold, description,
                             priority, secret_key, assigned_to_id)
SELECT '云主机无法连接 ' || n, {queue}, now() - ({tickets} - n) * interval '157 seconds', now(), 'li@customer.example',
       CASE WHEN n % 4 = 0 THEN 1 ELSE 4 END, false, repeat('今天上午开始出现，重启之后仍然存在。', 3), 3,
       md5(n::text), CASE WHEN n % 40 = 0 THEN {person} END
FROM generate_series(1, {tickets}) AS n;
INSERT INTO helpdesk_followup (ticket_id, date, title, comment, public, user_id)
SELECT id, created, 'Ticket Opened', description, true, NULL FROM helpdesk_ticket
UNION ALL SELECT id, created + interval '6 minutes', 'Comment', description, true, {person} FROM helpdesk_ticket
          WHERE id % 4 = 1
UNION ALL SELECT id, created + turn * interval '9 minutes', 'Comment', description, true, {person}
          FROM helpdesk_ticket CROSS JOIN generate_series(1, 5) AS turn WHERE id % 400 = 0;
UPDATE helpdesk_ticket SET queue_id = {escalated}, created = now() - interval '3 days'
WHERE id <= 4 * {due} AND id % 4 = 0;
"""


def fill():
    """Make the tables, mail texts, an agent, two queues and the tickets; the second queue escalates."""
    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)
    agent = User.objects.create_superuser("agent", "agent@peer.example", PASSWORD)
    User.objects.create_user("customer", "li@customer.example", PASSWORD)
    common = {"allow_public_submission": True, "email_address": "desk@peer.example"}
    queue = Queue.objects.create(title="desk", slug="desk", **common)
    escalated = Queue.objects.create(title="late", slug="late", escalate_days=1, **common)
    with connection.cursor() as cursor:
        cursor.execute(
            FILLING.format(
                tickets=TICKETS, due=DUE, queue=queue.pk, escalated=escalated.pk, person=agent.pk
            )
        )


def escalate():
    """Escalate the tickets of the second queue, which are due again each time."""
    Ticket.objects.filter(queue__slug="late").update(priority=4, last_escalation=None)
    call_command("escalate_tickets", queues=["late"])


if __name__ == "__main__":
    {"fill": fill, "escalate": lambda: serve(escalate)}[sys.argv[1]]()
