from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OnlineServiceConfig(AppConfig):
    name = "onlineservice"
    verbose_name = _("帮助中心")
