from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        """Whatever leaves asks the kill switches first."""
        from approvals.switches import stopped_since
        from tools import stops

        stops.ask(stopped_since)
