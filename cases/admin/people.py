"""Customers, staff, roles, shops and the words that may leave: who is who, and how a shop is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from approvals.duties import refuse_nobody
from approvals.errors import Invalid, LeavesNobody
from audit import actors, sources
from audit.models import Json
from audit.services import record
from audit.shop_admin import HistoryAdmin, ShopAdmin
from cases.models import Person, PlannerConfig, Shop, Template, User
from cases.staff import password_was_set, refuse_never, would_leave_nobody

SWITCHES = ("is_active", "is_staff", "is_superuser")
SHOP = ("shop", admin.RelatedOnlyFieldListFilter)


@admin.register(Person)
class PersonAdmin(HistoryAdmin):
    list_display = ("name", "shop", "email", "phone", "language", "created_at")
    list_filter = ("language", SHOP)
    list_select_related = ("shop",)
    search_fields = ("name", "=email", "=phone", "=external_id")
    page_template = "admin/ops/person.html"

    def page_context(self, request: HttpRequest, row: Person) -> dict[str, Any]:
        return {
            "title": str(row),
            "person": row,
            "orders": list(row.orders.order_by("-placed_at")[:20]),
            "cases": list(row.cases.order_by("-id")[:20]),
            "flags": list(row.flags.filter(lowered_at__isnull=True)),
        }


@admin.register(Shop)
class ShopsAdmin(ShopAdmin):
    shop_path = "pk"
    list_display = ("name", "slug", "legal_entity", "base_currency", "time_zone", "env_prefix")
    search_fields = ("name", "slug")
    readonly_fields = ("planner", "created_at", "cutover_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        # Webhook addresses and environment names of a living shop hang on these two.
        fixed = ("slug", "env_prefix", "base_currency") if obj else ()
        return (*self.readonly_fields, *fixed)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Shop, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        _tell(request, "shop.changed", f"shop/{obj.slug}", obj, obj.pk, {"fields": sorted(form.changed_data)})


@admin.register(Template)
class TemplateAdmin(HistoryAdmin):
    shop_path = ""
    list_display = ("key", "language", "version", "subject", "order_data", "active")
    list_filter = ("language", "active", "order_data")
    search_fields = ("key", "subject", "body")


@admin.register(PlannerConfig)
class PlannerConfigAdmin(HistoryAdmin):
    shop_path = ""
    list_display = ("kind", "model", "version", "created_at")
    list_filter = ("kind",)


class StaffForm(UserChangeForm):  # type: ignore[type-arg]  # Django's own is generic at type checking alone
    """An account; a change that leaves a size of refund with nobody who decides takes an explicit yes."""

    leaves_nobody_ok = forms.BooleanField(
        required=False, label=_("Also if nobody can decide some size of refund then")
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if {"groups", "is_superuser"} & set(self.changed_data):
            self._refuse_never(data)
        if self.instance.pk is not None and not data.get("leaves_nobody_ok"):
            try:
                refuse_nobody(would_leave_nobody(self.instance, data))
            except LeavesNobody as refusal:
                raise forms.ValidationError(refusal.sentence) from refusal
        return data

    def _refuse_never(self, data: dict[str, Any]) -> None:
        groups = data.get("groups")
        if groups is None:
            groups = self.instance.groups.all()
        try:
            refuse_never(
                is_superuser=data.get("is_superuser", self.instance.is_superuser), groups=list(groups)
            )
        except Invalid as refusal:
            raise forms.ValidationError(refusal.sentence) from refusal


@admin.register(User)
class UserAdmin(StockUserAdmin[User]):
    """Accounts. Who isn't a superuser can't make one, touch one, or hand out single permissions."""

    form = StaffForm
    list_display = ("username", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("is_active", "groups", "shops")
    filter_horizontal = ("groups", "shops")
    actions = None
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "time_zone", "language")}),
        (
            _("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "shops", "leaves_nobody_ok")},
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        if obj is not None and obj.pk == request.user.pk:
            # Nobody gives themselves a right, above all none about money: a colleague does.
            fixed = (*fixed, "is_active", "is_staff", "is_superuser", "groups", "shops")
        return fixed if _is_superuser(request.user) else (*fixed, "is_superuser")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        user = form.instance
        roles, shops = _names(user.groups, "name"), _names(user.shops, "slug")
        super().save_related(request, form, formsets, change)
        new_roles, new_shops = _names(user.groups, "name"), _names(user.shops, "slug")
        if not change:
            _tell(request, "staff.created", "staff", user, None, {"shops": sorted(new_shops)})
        elif changed := _account_changes(form, shops, new_shops):
            _tell(request, "staff.changed", "staff", user, None, changed)
        if roles != new_roles:
            _tell(request, "role.changed", "staff", user, None, _moved(roles, new_roles))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Whoever sets somebody's password can sign in as them, so the log says who did."""
        with transaction.atomic():
            user = self.get_object(request, unquote(id))
            before = user.password if user else ""
            response = super().user_change_password(request, id, form_url)
            if user is not None:
                user.refresh_from_db(fields=["password"])
                if user.password != before:
                    password_was_set(user, by=actors.staff(request.user))  # type: ignore[arg-type]  # signed in
        return response

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not _is_superuser(request.user):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # History names its people for good: an account is switched off, never deleted.
        return False


def _tell(
    request: HttpRequest,
    action: str,
    stream: str,
    subject: Model,
    shop_id: int | None,
    data: Mapping[str, Json],
) -> None:
    """One entry in the transaction that Django wraps around the form."""
    record(
        action,
        by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
        stream=stream,
        subject=subject,
        shop_id=shop_id,
        correlation_id=sources.random_id(),
        data=data,
    )


def _names(rows: Any, field: str) -> set[str]:
    return set(rows.values_list(field, flat=True))


def _moved(before: set[str], after: set[str]) -> dict[str, Json]:
    return {"added": sorted(after - before), "removed": sorted(before - after)}


def _account_changes(form: Any, shops: set[str], new_shops: set[str]) -> dict[str, Json]:
    """What changed, by name; values of switches and shops only, since the rest is personal."""
    fields = sorted(set(form.changed_data) - {"groups", "shops"})
    changes: dict[str, Json] = {"fields": list(fields)} if fields else {}
    changes |= {name: bool(getattr(form.instance, name)) for name in SWITCHES if name in fields}
    return changes | ({"shops": _moved(shops, new_shops)} if shops != new_shops else {})


def _is_superuser(user: Any) -> bool:
    return bool(user.is_superuser)


class GroupAdmin(HistoryAdmin):
    """Roles: made by the code after each migration, so they are only read here."""

    shop_path = ""
    list_display = ("name",)
    search_fields = ("name",)


# Importing the stock account page registers its own page of roles.
admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)
