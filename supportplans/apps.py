from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class SupportPlansConfig(AppConfig):
    name = "supportplans"
    verbose_name = _("支持计划")

    @override
    def ready(self) -> None:
        """Register what this app tells people."""
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)

        register_kind("supportplans.term_ending")
        register_kind("supportplans.term_ended")
        register_kind("supportplans.trial_applied")
        register_kind("supportplans.trial_decided")
