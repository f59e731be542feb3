from django.apps import AppConfig


class OnlineServiceConfig(AppConfig):
    name = "onlineservice"
