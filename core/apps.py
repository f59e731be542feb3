from django.apps import AppConfig
from typing_extensions import override


class CoreConfig(AppConfig):
    """The shared kernel: no tables, a closed list of files."""

    name = "core"

    @override
    def ready(self) -> None:
        from core.tenancy import checks  # noqa: F401, PLC0415  (registers checks and the connection guard)
