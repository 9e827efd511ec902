"""Lost factors: one colleague asks, a second one confirms; everybody with a money role reads it on the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from approvals.errors import Refusal
from approvals.models import FactorReset, ResetNotice
from approvals.rights import RESTS, has_right
from approvals.second_factor import resetting
from audit import actors, sources
from cases.models import User
from cases.staff import confirm_reset
from opsagent.signing_in import View, person_of

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("second-factor/resets/", site.admin_view(resets(site)), name="factor_resets"),
        path("second-factor/resets/<int:pk>/confirm/", site.admin_view(_confirm), name="confirm_reset"),
        path("second-factor/resets/<int:pk>/withdraw/", site.admin_view(_withdraw), name="withdraw_reset"),
        path("second-factor/notices/<int:pk>/seen/", site.admin_view(_seen), name="seen_reset"),
    ]


def resets(site: OpsAdminSite) -> View:
    """Who may be asked about, what was asked, and what was done lately."""

    def factor_resets(request: HttpRequest) -> HttpResponse:
        user = person_of(request)
        if not has_right(user, resetting.RIGHT):
            raise PermissionDenied
        if request.method == "POST":
            return _ask(request, user)
        rows = FactorReset.objects.select_related("user", "asked_by", "ended_by")
        since = sources.now() - resetting.ASKED_FOR
        context = {
            **site.each_context(request),
            "title": _("Lost second factors"),
            "people": resetting.may_be_reset(user),
            "open": rows.filter(state=FactorReset.State.ASKED, asked_at__gt=since),
            "ended": rows.exclude(state=FactorReset.State.ASKED)[:20],
            "me": user,
        }
        return TemplateResponse(request, "admin/ops/resets.html", context)

    return factor_resets


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    whose = request.POST.get("user", "")
    try:
        resetting.ask(
            int(whose) if whose.isascii() and whose.isdigit() else 0,
            reason=request.POST.get("reason", ""),
            by=actors.staff(user),
        )
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Asked. A second colleague confirms it on this page."))
    return HttpResponseRedirect(reverse("admin:factor_resets"))


def _confirm(request: HttpRequest, pk: int) -> HttpResponse:
    done = _("Done. Everybody with a money role is told, and the person signs no money for a day.")
    return _end(request, pk, confirm_reset, done, "admin:factor_resets")


def _withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    own = FactorReset.objects.filter(pk=pk, user=person_of(request)).exists()
    back = "admin:my_factor" if own else "admin:factor_resets"
    return _end(request, pk, resetting.withdraw, _("Withdrawn. No factor was taken away."), back)


def _end(request: HttpRequest, pk: int, service: Any, done: str, back: str) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        service(pk, by=actors.staff(request.user))  # type: ignore[arg-type]  # signed in
    except FactorReset.DoesNotExist as error:
        raise Http404 from error
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse(back))


def _seen(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    resetting.seen(pk, by=actors.staff(request.user))  # type: ignore[arg-type]  # signed in
    return HttpResponseRedirect(reverse("admin:index"))


def notices(user: Any) -> list[dict[str, Any]]:
    """What this person has not read yet: whose factors were taken away, by whom, and until when their rights rest."""
    rows = ResetNotice.objects.filter(user_id=user.pk, seen_at__isnull=True).order_by("-pk")[:5]
    return [
        {"pk": row.pk, "reset": row.reset, "until": row.reset.ended_at + RESTS}
        for row in rows.select_related("reset__user", "reset__asked_by", "reset__ended_by")
        if row.reset.ended_at
    ]
