from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.utils.translation import gettext_lazy as _

ADMIN_APPS = ("audit", "tools", "approvals", "cases")


class OpsagentConfig(AppConfig):
    name = "opsagent"
    verbose_name = _("Operations agent")

    def ready(self) -> None:
        import_module("opsagent.checks")


class DeskConfig(SimpleAdminConfig):
    """The admin with our own site, showing our own apps alone.

    Autodiscovery stays off because the queue's admin can run any function and
    the one-time-password devices' admin shows their secrets.
    """

    default_site = "opsagent.admin_site.OpsAdminSite"

    def ready(self) -> None:
        super().ready()
        for app in ADMIN_APPS:
            if find_spec(f"{app}.admin"):
                import_module(f"{app}.admin")
