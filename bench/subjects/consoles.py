"""Agents for ``bench.console``: ``python -m bench.subjects.consoles COUNT`` prints a session of each, one a line.

Made without the sign-in form: hashing two hundred passwords would take longer than what is measured.
"""

from __future__ import annotations

import sys

import django

django.setup()

from django.conf import settings  # noqa: E402  (models need Django set up)
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: E402

from accounts.models import StaffMember, User  # noqa: E402
from accounts.models.users import StaffRole  # noqa: E402
from core.tenancy import scope  # noqa: E402


def main(count: int) -> None:
    """Make ``count`` VIP agents, sign each in and print the sessions' keys."""
    for number in range(count):
        user = User(email=f"agent{number}@bench.example", name=f"专席{number:03}", is_staff=True)
        user.set_unusable_password()
        user.save()
        with scope.staff():
            StaffMember.objects.create(
                user=user, display_name=user.name, title="VIP 专席", roles=[StaffRole.VIP_AGENT]
            )
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        print(session.session_key)


if __name__ == "__main__":
    main(int(sys.argv[1]))
