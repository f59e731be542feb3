from supportplans.models.catalogue import (
    Agreement,
    Entitlement,
    ProductLine,
    ResourcePool,
    ServiceGroup,
    ServiceItem,
)
from supportplans.models.coverage import AssuranceWindow, QuotaUse
from supportplans.models.figures import Figure, TrialApplication
from supportplans.models.links import AccountLink
from supportplans.models.plans import Plan, PlanPrice, ResponseTarget
from supportplans.models.subscriptions import (
    PaidLine,
    Subscription,
    SubscriptionEvent,
    SubscriptionNotice,
)

__all__ = [
    "AccountLink",
    "Agreement",
    "AssuranceWindow",
    "Entitlement",
    "Figure",
    "PaidLine",
    "Plan",
    "PlanPrice",
    "ProductLine",
    "QuotaUse",
    "ResourcePool",
    "ResponseTarget",
    "ServiceGroup",
    "ServiceItem",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionNotice",
    "TrialApplication",
]
