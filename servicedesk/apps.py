from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class ServiceDeskConfig(AppConfig):
    name = "servicedesk"
    verbose_name = _("服务单")

    @override
    def ready(self) -> None:
        """Register the section of the overview and the kinds of messages."""
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)
        from servicedesk import overview  # noqa: F401, PLC0415

        for event in ("filed", "approved", "rejected", "completed", "rated"):
            register_kind(f"servicedesk.{event}")
