from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class SupportPlansConfig(AppConfig):
    name = "supportplans"
    verbose_name = _("支持计划")

    @override
    def ready(self) -> None:
        """Register handlers and what this app tells people."""
        from messaging.registry import register_kind  # noqa: PLC0415  (apps are loaded only now)
        from supportplans import handlers  # noqa: F401, PLC0415

        register_kind("supportplans.term_ending")
        register_kind("supportplans.term_ended")
        register_kind("supportplans.trial_applied")
        register_kind("supportplans.trial_decided")
        register_kind("supportplans.link_invited")
        register_kind("supportplans.link_to_approve")
        register_kind("supportplans.link_changed")
