"""Limits, caps and terms as versions: each with the difference to the one in force, and what may be done with it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import versions
from approvals.admin.decisions import SHOP
from approvals.caps import CAPS
from approvals.limits import LIMITS
from approvals.models import CapsVersion, LimitVersion, TermsVersion, Version
from approvals.promises import TERMS
from approvals.rights import has_right
from approvals.versions import Kind
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from tools.types import Money

SHOWN = 20


class VersionAdmin(HistoryAdmin):
    """The list says of each version whether it holds; its page shows the difference and the acts."""

    kind: ClassVar[Kind[Any]]
    page_template = "admin/ops/version.html"
    list_select_related = ("shop", "author", "published_by")
    list_filter: ClassVar[tuple[Any, ...]] = ("currency", ("published_at", admin.EmptyFieldListFilter), SHOP)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        model = self.kind.model
        run = {name: OuterRef(name) for name in model.KEYS}
        held = model._default_manager.filter(**run, published_at__isnull=False, effective_at__lte=moment())
        newest = held.order_by("-version").values("version")[:1]
        last = model._default_manager.filter(**run, published_at__isnull=False).order_by("-version")
        both = {"holding": Subquery(newest), "last": Subquery(last.values("version")[:1])}
        rows: QuerySet[Any] = super().get_queryset(request).annotate(**both)
        return rows

    @admin.display(description=gettext_lazy("state"), ordering="published_at")
    def standing(self, row: Any) -> str:
        tone, _icon, word = state_of(row, row.holding, row.last)
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        user: Any = request.user
        kind = self.kind
        now = versions.in_force(kind.model, **row.key())
        siblings = list(row.siblings().select_related("author", "published_by")[:SHOWN])
        holding, last = now.version if now else None, row.last
        waits, ended = row.published_at is None, row.withdrawn_at is not None
        may_write, may_publish = has_right(user, kind.write), has_right(user, kind.publish)
        own = waits and not ended and row.author_id == user.pk
        overtaken = waits and row.version < (last or 0)
        return {
            "title": capfirst(f"{self.opts.verbose_name_plural} {row}"),
            "row": row,
            "now": now,
            "state": state_of(row, holding, last),
            "overtaken": overtaken and not ended,
            "in_force": now is not None and now.pk == row.pk,
            "rows": versions.difference(kind, now, row),
            "draft_url": reverse(f"admin:draft_{kind.noun}", args=[row.pk]) if may_write else "",
            "restore_url": reverse(f"admin:restore_{kind.noun}", args=[row.pk])
            if may_write and not waits and now is not None and now.pk != row.pk
            else "",
            "publish_url": reverse(f"admin:publish_{kind.noun}", args=[row.pk])
            if may_publish and waits and not (own or ended or overtaken)
            else "",
            "withdraw_url": reverse(f"admin:withdraw_{kind.noun}", args=[row.pk])
            if waits and not ended and (may_write if own else may_publish)
            else "",
            "own": own,
            "versions": [(one, state_of(one, holding, last)) for one in siblings],
            "self_change": f"admin:approvals_{kind.model._meta.model_name}_change",
        }


def state_of(row: Version, holding: int | None, last: int | None) -> tuple[str, str, str]:
    """Tone, picture and word of a version; `holding` is the number that holds now, `last` the last one published."""
    if row.withdrawn_at is not None:
        own = row.withdrawn_by_id == row.author_id
        return "", "barred", _("withdrawn") if own else _("declined")
    if row.published_at is None:
        # What is older than something published would never hold.
        overtaken = row.version < (last or 0)
        return ("", "dotted", _("overtaken")) if overtaken else ("attention", "clock", _("proposed"))
    if row.version == holding:
        return "good", "check", _("in force")
    if row.effective_at is not None and row.effective_at > moment() and row.version > (holding or 0):
        return "info", "clock", _("scheduled")
    return "", "dotted", _("replaced")


def money(minor: int | None, currency: str) -> str:
    """An amount in its currency's own decimals that never breaks; a dash for none."""
    return format_html('<span class="money">{}</span>', Money(minor, currency)) if minor is not None else "–"


@admin.register(LimitVersion)
class LimitVersionAdmin(VersionAdmin):
    kind = LIMITS
    list_display = (
        "name",
        "shop",
        "automatic",
        "one_approver",
        "last_line",
        "standing",
        "author",
        "published_by",
    )

    @admin.display(description=gettext_lazy("limits"), ordering="currency")
    def name(self, row: LimitVersion) -> str:
        return _("Refund, %(currency)s, version %(version)s") % {
            "currency": row.currency,
            "version": row.version,
        }

    @admin.display(description=gettext_lazy("automatic up to"))
    def automatic(self, row: LimitVersion) -> str:
        return money(row.auto_up_to_minor, row.currency)

    @admin.display(description=gettext_lazy("one approver up to"))
    def one_approver(self, row: LimitVersion) -> str:
        return money(row.one_approver_up_to_minor, row.currency)

    @admin.display(description=gettext_lazy("second factor up to"))
    def last_line(self, row: LimitVersion) -> str:
        return money(row.two_factor_up_to_minor, row.currency)


@admin.register(CapsVersion)
class CapsVersionAdmin(VersionAdmin):
    kind = CAPS
    list_words = gettext_lazy(
        "What the agent may give and do in all, in the shop's base currency. Above a cap a person decides."
    )
    list_display = ("name", "shop", "customer", "day", "undo", "standing", "author", "published_by")

    @admin.display(description=gettext_lazy("caps"), ordering="currency")
    def name(self, row: CapsVersion) -> str:
        return _("%(currency)s, version %(version)s") % {"currency": row.currency, "version": row.version}

    @admin.display(description=gettext_lazy("customer in 30 days"))
    def customer(self, row: CapsVersion) -> str:
        return money(row.customer_cap_minor, row.currency)

    @admin.display(description=gettext_lazy("shop in 24 hours"))
    def day(self, row: CapsVersion) -> str:
        return money(row.day_cap_minor, row.currency)

    @admin.display(description=gettext_lazy("undo window"))
    def undo(self, row: CapsVersion) -> str:
        return CAPS.show(row, "undo_seconds")


@admin.register(TermsVersion)
class TermsVersionAdmin(VersionAdmin):
    kind = TERMS
    list_words = gettext_lazy(
        "What the shop promises its customers. A refund that none of it grants is a person's, however small."
    )
    list_filter = (("published_at", admin.EmptyFieldListFilter), SHOP)
    list_display = ("name", "shop", "returns", "damaged", "refund_on", "standing", "author", "published_by")

    @admin.display(description=gettext_lazy("terms"), ordering="version")
    def name(self, row: TermsVersion) -> str:
        return _("Terms, version %(version)s") % {"version": row.version}

    @admin.display(description=gettext_lazy("change of mind"))
    def returns(self, row: TermsVersion) -> str:
        return TERMS.show(row, "return_days")

    @admin.display(description=gettext_lazy("damaged"))
    def damaged(self, row: TermsVersion) -> str:
        return TERMS.show(row, "damage_days")
