"""django-plans doing what ``bench.subjects.billing`` does: a program for its own environment, without the portal.

Set up as its documentation says. Where that leaves a choice, the cheaper one is taken: no call for a tax rate, mail
rendered but not sent, and one transaction around an order's creation, where its view commits statement by statement.
``PEER_EXTRAS=0`` leaves out the invoices and mails that it makes unless told otherwise.
"""

import json
import os
import sys
from datetime import timedelta
from decimal import Decimal
from itertools import count

import django
from django.conf import settings
from django.utils.timezone import localdate

from bench.harness.loop import serve

EXTRAS = os.environ.get("PEER_EXTRAS", "1") == "1"
ISSUER = ("name", "street", "zipcode", "city", "country", "tax_number")

settings.configure(
    DATABASES={"default": json.loads(os.environ["PEER_DATABASE"])},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sites",
        "ordered_model",
        "sequences",
        "plans",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    ROOT_URLCONF="plans.urls",
    SECRET_KEY="a benchmark keeps no secrets",
    USE_TZ=True,
    TIME_ZONE="Asia/Shanghai",
    SITE_ID=1,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    SEND_PLANS_EMAILS=EXTRAS,
    PLANS_CURRENCY="CNY",
    PLANS_VALIDATORS={},
    PLANS_TAX=0,
    PLANS_TAX_COUNTRY="CN",
    PLANS_DEFAULT_COUNTRY="CN",
    PLANS_TAXATION_POLICY="plans.taxation.ru.RussianTaxationPolicy",  # the one that asks nobody
    PLANS_INVOICE_ISSUER={f"issuer_{name}": "CN" for name in ISSUER},
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402  (models need the settings)
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from plans.models import BillingInfo, Order, Plan, PlanPricing, Pricing, UserPlan  # noqa: E402
from plans.plan_change import get_change_price  # noqa: E402
from plans.signals import order_started  # noqa: E402

PEOPLE = 401
# Yearly list prices; its columns hold no more than 99,999.99.
PRICES = {"free": None, "lite": "6000.00", "business": "30000.00"}
numbers = count()


def fill():
    """Make the tables, three plans, and people who have none of the paid ones and an address for invoices."""
    call_command("migrate", verbosity=0)
    year = Pricing.objects.create(name="year", period=365)
    for slug, price in PRICES.items():
        plan = Plan.objects.create(
            name=slug, slug=slug, available=True, default=True if price is None else None
        )
        if price is not None:
            PlanPricing.objects.create(plan=plan, pricing=year, price=Decimal(price))
    free = Plan.objects.get(slug="free")
    people = User.objects.bulk_create(
        User(username=f"u{number}", email=f"u{number}@peer.example") for number in range(PEOPLE)
    )
    UserPlan.objects.bulk_create(UserPlan(user=user, plan=free) for user in people)
    BillingInfo.objects.bulk_create(
        BillingInfo(user=user, name="huachen", street="1", zipcode="1", city="1", country="CN")
        for user in people
    )
    subscribed = UserPlan.objects.filter(user=people[-1])
    subscribed.update(plan=Plan.objects.get(slug="lite"), expire=localdate() + timedelta(days=265))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def upgrade_price():
    """Return what CreateOrderPlanChangeView asks, as it asks it."""
    user = User(pk=subscribed_id)
    return get_change_price(user.userplan, Plan.objects.get(slug="business", available=True))


@transaction.atomic
def create():
    """Order a year for the next person, with the checks of CreateOrderView."""
    user = people[next(numbers)]
    bought = PlanPricing.objects.select_related("plan", "pricing").get(
        pk=lite_id, plan__available=True
    )
    current = user.userplan
    assert current.is_expired() or current.plan.is_free() or current.plan == bought.plan
    order = Order(user=user, plan=bought.plan, pricing=bought.pricing)
    order.recalculate(bought.price, user.billinginfo if EXTRAS else None)
    order.save()
    order_started.send(sender=order)
    return order


def complete():
    """Do what its payment integrations do with a confirmed payment."""
    assert Order.objects.get(pk=orders[next(numbers)]).complete_order()


if sys.argv[1] == "fill":
    fill()
    sys.exit()
people = list(User.objects.order_by("pk"))
subscribed_id = people[-1].pk
lite_id = PlanPricing.objects.get(plan__slug="lite").pk
if not EXTRAS:
    BillingInfo.objects.all().delete()
if sys.argv[1] == "complete":
    orders = [create().pk for _ in people[:-1]]
    numbers = count()
operation = {"upgrade_price": upgrade_price, "create": create, "complete": complete}[sys.argv[1]]
if sys.argv[2:] == ["count"]:
    with CaptureQueriesContext(connection) as captured:
        operation()
    for query in captured:
        print(query["sql"][:150], file=sys.stderr)
    print(len(captured))
else:
    serve(operation)
