from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("工单")

    @override
    def ready(self) -> None:
        """Register handlers and the kinds of messages."""
        from messaging.registry import register_kind  # noqa: PLC0415  (apps must be loaded)
        from messaging.states import Channel  # noqa: PLC0415
        from tickets import handlers, overview  # noqa: F401, PLC0415

        register_kind("tickets.replied")
        register_kind("tickets.resolved")
        register_kind("tickets.requirement_moved")
        register_kind("tickets.watching")
        register_kind("tickets.mail_too_late", channels=(Channel.EMAIL,))
        register_kind("tickets.urged", staff_channels=(Channel.INBOX,))
        register_kind("tickets.assigned", staff_channels=(Channel.INBOX,))
        register_kind("tickets.stage_passed", staff_channels=(Channel.INBOX,))
        register_kind("tickets.timers_late", staff_channels=(Channel.INBOX,))
