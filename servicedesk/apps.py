from django.apps import AppConfig
from typing_extensions import override


class ServiceDeskConfig(AppConfig):
    name = "servicedesk"

    @override
    def ready(self) -> None:
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        for event in ("filed", "approved", "rejected", "completed", "rated"):
            register_kind(f"servicedesk.{event}")
