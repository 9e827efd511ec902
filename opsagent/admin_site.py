"""Our admin site: its index is the desk, its sidebar counts what waits, its times are the reader's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.moment import one_moment

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

# The sidebar: what stands in which section, in this order; a model that isn't here is reached from pages alone.
SECTIONS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (
        _("Cases"),
        (
            "cases.case",
            "cases.handoff",
            "cases.paymenttask",
            "approvals.decision",
            "cases.inboundevent",
            "cases.eventconflict",
        ),
    ),
    (
        _("Approvals"),
        (
            "approvals.approvalrequest",
            "approvals.limitversion",
            "approvals.capsversion",
            "approvals.limitexception",
            "approvals.killswitch",
            "approvals.riskflag",
            "cases.fraudentry",
            "approvals.reversal",
        ),
    ),
    (
        _("Tools"),
        (
            "tools.toolcall",
            "tools.order",
            "tools.payment",
            "tools.ledgerentry",
            "tools.creditnote",
            "tools.dispute",
            "tools.stocklevel",
            "tools.supplieritem",
            "tools.feedrun",
        ),
    ),
    (_("Audit"), ("audit.entry", "cases.invariantrun")),
    (
        _("Set-up"),
        (
            "cases.shop",
            "cases.legalentity",
            "tools.upstream",
            "tools.drift",
            "tools.newfield",
            "cases.connection",
            "cases.cursor",
            "cases.template",
            "approvals.termsversion",
            "approvals.exchangerate",
            "cases.plannerconfig",
            "cases.person",
            "cases.user",
            "auth.group",
        ),
    ),
)
HOT = ("handoff", "paymenttask", "inboundevent", "drift")


class OpsAdminSite(admin.AdminSite):
    site_header = "opsagent"
    site_title = "opsagent"
    index_title = _("Desk")
    index_template = "admin/desk.html"
    login_template = "admin/sign_in.html"
    # The frame has a sidebar of its own, which needs no script.
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from opsagent import (
            buttons,
            deciders,
            drafting,
            excepting,
            forms,
            listing,
            my_factor,
            resets,
            search,
            signing_in,
        )

        own: list[URLPattern | URLResolver] = [
            path("search/", self.admin_view(search.page(self)), name="search"),
            *forms.urls(self),
            *drafting.urls(self),
            *excepting.urls(self),
            *listing.urls(self),
            *buttons.urls(self),
            *deciders.urls(self),
            *resets.urls(self),
            *my_factor.urls(self),
            *signing_in.urls(self),
        ]
        return [*own, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """Django's, for sessions that have shown a second factor which the person still has."""
        from opsagent.signing_in import is_proven

        return super().has_permission(request) and is_proven(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's; whoever has given the password goes on to the second factor."""
        from opsagent.password_form import PasswordForm
        from opsagent.signing_in import next_step

        # Named here, since forms need the models, which aren't there yet where this site is made.
        self.login_form = PasswordForm
        further = next_step(request, self) if request.method == "GET" else None
        return further or super().login(request, extra_context)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Django's, with the page made in the reader's own time zone."""
        return super().admin_view(in_own_time(view), cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from opsagent import desk

        return super().index(request, {**desk.context(request.user), **(extra_context or {})})

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's; a new password is told in the log, one's own too."""
        from audit import actors
        from cases.models import User
        from cases.staff import password_was_set

        with transaction.atomic():
            response = super().password_change(request, extra_context)
            user = User.objects.get(username=request.user.get_username())
            # The form sends the browser on once it has saved.
            if request.method == "POST" and response.status_code == 302:
                password_was_set(user, by=actors.staff(user))
        return response

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        if not context["has_permission"]:
            return context
        from opsagent import desk

        waiting = desk.waiting(request.user)
        return {
            **context,
            "waiting": waiting,
            "sections": sections(context["available_apps"], waiting, request.path),
            "here": _here(request.path),
            "shop_names": desk.shop_names(request.user),
        }


def in_own_time(view: View) -> View:
    @wraps(view)
    def in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override(own_zone(request.user)), one_moment():
            response = view(request, *args, **kwargs)
            # Templates are made after the view has returned, when the zone would be gone.
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return cast("View", in_zone)


def own_zone(user: Any) -> ZoneInfo:
    """The zone that the account names; UTC for visitors and for names that don't exist."""
    with suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(getattr(user, "time_zone", "UTC"))
    return ZoneInfo("UTC")


def sections(apps: list[Any], waiting: dict[str, int], here: str) -> list[dict[str, Any]]:
    """The sidebar's sections with the pages that this person may see."""
    seen = {
        f"{app['app_label']}.{model['object_name'].lower()}": model
        for app in apps
        for model in app["models"]
        if model["admin_url"]
    }
    result = []
    for name, labels in SECTIONS:
        pages = [_page(label, seen[label], waiting, here) for label in labels if label in seen]
        if pages:
            result.append({"name": name, "pages": pages})
    return result


def _page(label: str, model: Any, waiting: dict[str, int], here: str) -> dict[str, Any]:
    key = label.partition(".")[2]
    return {
        "name": str(model["name"])[:1].upper() + str(model["name"])[1:],
        "url": model["admin_url"],
        "count": waiting.get(key, 0),
        "hot": key in HOT,
        "here": here.startswith(model["admin_url"]),
    }


def _here(url: str) -> str:
    """Which of the bottom bar's four targets this page belongs to."""
    if url == reverse("admin:index"):
        return "desk"
    pages = {
        "handoff": "admin:cases_handoff_changelist",
        "approvalrequest": "admin:approvals_approvalrequest_changelist",
        "search": "admin:search",
    }
    return next((key for key, name in pages.items() if url.startswith(reverse(name))), "")


site = admin.site
