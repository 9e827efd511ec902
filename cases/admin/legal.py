"""Legal entities: who sells, as documents name them from now on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit import actors, sources
from audit.services import record
from audit.shop_admin import ShopAdmin
from cases.models import LegalEntity


@admin.register(LegalEntity)
class LegalEntityAdmin(ShopAdmin):
    shop_path = ""
    list_display = ("name", "country", "vat_id", "credit_note_prefix")
    search_fields = ("name", "=vat_id")
    list_words = _("Who sells. Issued documents keep the words that they were issued with.")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: LegalEntity, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(
            "entity.changed",
            by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
            stream="staff",
            subject=obj,
            shop_id=None,
            correlation_id=sources.random_id(),
            data={"fields": sorted(form.changed_data)},
        )
