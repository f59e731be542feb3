from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("订单与支付")

    @override
    def ready(self) -> None:
        """Register what this app tells people, and what it checks at the start."""
        from billing import handlers  # noqa: F401, PLC0415  (apps are loaded only now)
        from billing.checks import payment_methods_load  # noqa: PLC0415  (apps are loaded only now)
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        register(payment_methods_load)
        for kind in ("new", "upgrade", "downgrade", "renew", "unsubscribe"):
            register_kind(f"billing.order_completed_{kind}")
        register_kind("billing.auto_renewal_failed")
        register_kind("billing.order_expired")
        register_kind("billing.order_refunded")
        register_kind("billing.balance_credited")
        register_kind("billing.paid_twice")
        register_kind("billing.refund_done")
        register_kind("billing.refund_waits")
        register_kind("billing.day_differs")
        register_kind("billing.proof_failed")
        register_kind("billing.coupon_granted")
        register_kind("billing.voucher_granted")
        register_kind("billing.invoice_issued")
        register_kind("billing.invoice_reversed")
