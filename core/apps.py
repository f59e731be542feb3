from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The shared kernel: no tables, a closed list of files."""

    name = "core"

    def ready(self) -> None:
        from core.tenancy import checks  # noqa: F401, PLC0415  (registers checks and the connection guard)
