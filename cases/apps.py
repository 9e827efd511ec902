from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "cases"
    verbose_name = _("Cases")

    def ready(self) -> None:
        post_migrate.connect(after_migrate, sender=self)


def after_migrate(sender: AppConfig, **kwargs: Any) -> None:
    """Roles and message templates, made or corrected after each migration of this app."""
    from cases.seeding import seed

    seed([config for config in apps.get_app_configs() if config.models_module is not None])
