from django.apps import AppConfig
from typing_extensions import override


class ReportsConfig(AppConfig):
    name = "reports"

    @override
    def ready(self) -> None:
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        register_kind("reports.made")
