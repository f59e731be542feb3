from django.apps import AppConfig


class SupportPlansConfig(AppConfig):
    name = "supportplans"

    def ready(self) -> None:
        """Register what this app tells people."""
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        register_kind("supportplans.term_ending")
        register_kind("supportplans.term_ended")
