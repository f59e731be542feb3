from django.apps import AppConfig


class SupportPlansConfig(AppConfig):
    name = "supportplans"
