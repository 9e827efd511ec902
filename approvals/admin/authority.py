"""Limits as versions with the difference to the one in force, terms, and kill switches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.admin.decisions import SHOP
from approvals.facts import in_force
from approvals.models import KillSwitch, LimitVersion, TermsVersion
from audit.shop_admin import HistoryAdmin
from tools.types import Money

Row = tuple[str, str, str, bool]


@admin.register(LimitVersion)
class LimitVersionAdmin(HistoryAdmin):
    list_display = (
        "name",
        "shop",
        "automatic",
        "one_approver",
        "goodwill",
        "standing",
        "author",
        "published_by",
    )
    list_filter = ("currency", ("published_at", admin.EmptyFieldListFilter), SHOP)
    list_select_related = ("shop", "author", "published_by")
    page_template = "admin/ops/limits.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        published = LimitVersion.objects.filter(
            shop=OuterRef("shop"), currency=OuterRef("currency"), published_at__isnull=False
        )
        newest = published.order_by("-version").values("version")[:1]
        rows: QuerySet[Any] = super().get_queryset(request).annotate(newest=Subquery(newest))
        return rows

    @admin.display(description=gettext_lazy("limits"), ordering="currency")
    def name(self, row: LimitVersion) -> str:
        return _("Refund, %(currency)s, version %(version)s") % {
            "currency": row.currency,
            "version": row.version,
        }

    @admin.display(description=gettext_lazy("automatic up to"))
    def automatic(self, row: LimitVersion) -> str:
        return format_html('<span class="money">{}</span>', Money(row.auto_up_to_minor, row.currency))

    @admin.display(description=gettext_lazy("one approver up to"))
    def one_approver(self, row: LimitVersion) -> str:
        return format_html('<span class="money">{}</span>', Money(row.one_approver_up_to_minor, row.currency))

    @admin.display(description=gettext_lazy("goodwill"))
    def goodwill(self, row: LimitVersion) -> str:
        return f"{row.goodwill_percent} %"

    @admin.display(description=gettext_lazy("state"), ordering="published_at")
    def standing(self, row: LimitVersion) -> str:
        if row.published_at is None:
            tone, word = "attention", _("proposed")
        elif row.version == row.newest:  # type: ignore[attr-defined]  # annotated by get_queryset
            tone, word = "good", _("in force")
        else:
            tone, word = "", _("replaced")
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: LimitVersion) -> dict[str, Any]:
        user: Any = request.user
        now = in_force(row.shop_id, row.currency).limits
        return {
            "title": _("Limits, %(currency)s, version %(version)s")
            % {"currency": row.currency, "version": row.version},
            "row": row,
            "now": now,
            "in_force": now is not None and now.pk == row.pk,
            "rows": difference(now, row),
            "may_propose": user.has_perm("approvals.add_limitversion"),
            "may_publish": user.has_perm("approvals.publish_limitversion")
            and row.published_at is None
            and row.author_id != user.pk,
            "own": row.published_at is None and row.author_id == user.pk,
            "versions": list(
                LimitVersion.objects.filter(shop_id=row.shop_id, currency=row.currency)
                .select_related("author", "published_by")
                .order_by("-version")[:20]
            ),
        }


def difference(now: LimitVersion | None, row: LimitVersion) -> list[Row]:
    """Each limit's name, value in force, value in this version, and whether it changes."""

    def money(version: LimitVersion | None, field: str) -> str:
        return str(Money(getattr(version, field), row.currency)) if version else _("a person decides")

    lines = [
        (_("Automatic up to"), money(now, "auto_up_to_minor"), money(row, "auto_up_to_minor")),
        (
            _("One approver up to"),
            money(now, "one_approver_up_to_minor"),
            money(row, "one_approver_up_to_minor"),
        ),
        (
            _("Goodwill at most"),
            f"{now.goodwill_percent} %" if now else _("a person decides"),
            f"{row.goodwill_percent} %",
        ),
    ]
    return [(name, before, after, before != after) for name, before, after in lines]


@admin.register(TermsVersion)
class TermsVersionAdmin(HistoryAdmin):
    list_display = ("shop", "version", "return_days", "damage_days", "missing_days", "created_at")
    list_filter = (SHOP,)
    list_select_related = ("shop",)


@admin.register(KillSwitch)
class KillSwitchAdmin(HistoryAdmin):
    list_display = ("what", "shop", "standing", "reason", "engaged_by", "engaged_at", "released_by")
    list_filter = ("scope", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("shop", "engaged_by", "released_by")
    page_template = "admin/ops/switch.html"
    change_list_template = "admin/ops/switches.html"

    @admin.display(description=gettext_lazy("stops"), ordering="scope")
    def what(self, row: KillSwitch) -> str:
        return f"{row.get_scope_display()} {row.key}".strip()

    @admin.display(description=gettext_lazy("state"), ordering="released_at")
    def standing(self, row: KillSwitch) -> str:
        tone, word = ("", _("released")) if row.released_at else ("danger", _("engaged"))
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: KillSwitch) -> dict[str, Any]:
        may = request.user.has_perm("approvals.change_killswitch")
        return {
            "title": _("Stopped: %(what)s") % {"what": self.what(row)},
            "row": row,
            "may_release": may and row.released_at is None,
        }
