from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("服务月报")

    @override
    def ready(self) -> None:
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        register_kind("reports.made")
