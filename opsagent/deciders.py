"""Who can decide now, and what people write about it: weekly hours, absences, and who stands in for whom.

GET shows; each POST calls one service of approvals/duties and comes back with its sentence. What is refused is shown
again as it was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from approvals import duties
from approvals.duty import Stretch
from approvals.eligibility import who_can_decide
from approvals.errors import Invalid, LeavesNobody, Refusal
from approvals.models import Absence, Delegation, DutyHours
from approvals.models.duty import MONEY_RIGHTS
from audit import actors
from audit.actors import Actor
from audit.shop_admin import of_own_shops
from cases.models import Shop, User

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

View = Callable[..., HttpResponse]
Press = Callable[[QueryDict, Actor, User], object]
SEES = "approvals.view_approvalrequest"


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("deciders/", site.admin_view(_show(site)), name="deciders"),
        *(
            path(f"deciders/{name.replace('_', '-')}/", site.admin_view(_press(site, name)), name=name)
            for name in PRESSES
        ),
    ]


def _show(site: OpsAdminSite) -> View:
    def deciders(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return _page(site, request)

    return deciders


def _page(site: OpsAdminSite, request: HttpRequest, **more: Any) -> HttpResponse:
    title = _("Who can decide now")
    context = {**site.each_context(request), "title": title, **_context(request), **more}
    return TemplateResponse(request, "admin/ops/deciders.html", context)


def _context(request: HttpRequest) -> dict[str, Any]:
    user: Any = request.user
    shops = list(of_own_shops(Shop.objects.all(), user, "pk").order_by("name"))
    colleagues = User.objects.filter(is_active=True, is_staff=True, shops__in=shops).distinct()
    keeps = user.has_perm(duties.KEEPS)
    chosen = _chosen(request, user, list(colleagues), keeps=keeps)
    rows = DutyHours.objects.filter(user=chosen)
    return {
        "tiers": [(shop, who_can_decide(shop.pk)) for shop in shops],
        "me": user,
        "chosen": chosen,
        "people": list(colleagues.order_by("first_name", "username")) if keeps else [user],
        "keeps": keeps,
        "lends": user.has_perm(duties.LENDS),
        "week": _week(list(rows)),
        "zone": next((row.time_zone for row in rows), user.time_zone),
        "absences": list(_absences(user, colleagues, keeps=keeps)),
        "delegations": list(
            Delegation.objects.filter(shop__in=shops, ended_at__isnull=True)
            .select_related("to", "instead_of", "given_by", "shop")
            .order_by("-ends_at")[:20]
        ),
        "shops": shops,
        "rights": MONEY_RIGHTS,
    }


def _chosen(request: HttpRequest, user: User, colleagues: list[User], *, keeps: bool) -> User:
    """Whose hours are shown: one's own, or a colleague's for who keeps them."""
    wish = request.GET.get("person", "") or request.POST.get("user", "")
    return next((one for one in colleagues if keeps and str(one.pk) == wish), user)


def _absences(user: User, colleagues: Any, *, keeps: bool) -> Any:
    whose = colleagues if keeps else User.objects.filter(pk=user.pk)
    rows = Absence.objects.filter(user__in=whose, cancelled_at__isnull=True)
    return rows.select_related("user").order_by("-starts_at")[:20]


def _week(rows: list[DutyHours]) -> list[dict[str, Any]]:
    """Each day with all of its stretches, and room for one more beside the first."""
    found = []
    for weekday, name in DutyHours.Weekday.choices:
        mine = [row for row in rows if row.weekday == weekday]
        kept = [
            (_clock(row.starts_minute), _clock(row.ends_minute))
            for row in sorted(mine, key=attrgetter("starts_minute"))
        ]
        found.append(_day(weekday, name, kept))
    return found


def _typed_week(form: QueryDict) -> list[dict[str, Any]]:
    """The week as it was typed."""
    return [
        _day(weekday, name, list(zip_longest(*_typed(form, weekday), fillvalue="")))
        for weekday, name in DutyHours.Weekday.choices
    ]


def _day(weekday: int, name: Any, stretches: list[tuple[str, str]]) -> dict[str, Any]:
    room = [("", "")] * (2 - len(stretches))
    return {"weekday": weekday, "name": name, "stretches": [*stretches, *room]}


def _typed(form: QueryDict, weekday: int) -> tuple[list[str], list[str]]:
    return form.getlist(f"from{weekday}"), form.getlist(f"until{weekday}")


def _clock(minute: int) -> str:
    # The last minute of a day stands for its end, since a form knows no 24:00.
    minute = min(minute, 24 * 60 - 1)
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _press(site: OpsAdminSite, name: str) -> View:
    def post(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        user: Any = request.user
        try:
            PRESSES[name](request.POST, actors.staff(user), user)
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return _page(site, request, **_again(name, request.POST, refusal))
        messages.success(request, _("Written. It counts from now on."))
        return HttpResponseRedirect(reverse("admin:deciders"))

    return post


def _again(name: str, form: QueryDict, refusal: Refusal) -> dict[str, Any]:
    """The form that was refused, as it was typed; the explicit yes only once it is known what it is about."""
    if name == "write_hours":
        return {"week": _typed_week(form), "zone": form.get("zone", "")}
    if name == "write_absence":
        return {"absence": form, "nobody": refusal.sentence if isinstance(refusal, LeavesNobody) else ""}
    return {"delegation": form} if name == "give_delegation" else {}


def _write_hours(form: QueryDict, by: Actor, user: User) -> object:
    zone = form.get("zone", "").strip()
    stretches = []
    for weekday, _name in DutyHours.Weekday.choices:
        for starts, ends in zip_longest(*_typed(form, weekday), fillvalue=""):
            if starts or ends:
                stretches.append(Stretch(weekday, _minute(starts), _end(ends), zone))
    return duties.write_hours(_number(form, "user"), stretches, by=by)


def _minute(text: str) -> int:
    try:
        hour, minute = text.split(":")[:2]
        return int(hour) * 60 + int(minute)
    except ValueError as error:
        raise Invalid(_("Write both times, as 09:00. Nothing was changed.")) from error


def _end(text: str) -> int:
    minute = _minute(text)
    return minute + 1 if minute == 24 * 60 - 1 else minute


def _write_absence(form: QueryDict, by: Actor, user: User) -> object:
    starts_at, ends_at = _dates(form, user)
    return duties.write_absence(
        _number(form, "user"),
        starts_at=starts_at,
        ends_at=ends_at,
        leaves_nobody_ok=form.get("nobody") == "1",
        by=by,
    )


def _give_delegation(form: QueryDict, by: Actor, user: User) -> object:
    starts_at, ends_at = _dates(form, user)
    return duties.give_delegation(
        shop_id=_number(form, "shop"),
        right=form.get("right", ""),
        to_id=_number(form, "to"),
        instead_of_id=_number(form, "instead_of"),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=form.get("reason", ""),
        by=by,
    )


def _dates(form: QueryDict, user: User) -> tuple[datetime, datetime]:
    """As the reader's own clock shows them."""
    try:
        starts, ends = (datetime.fromisoformat(form.get(name, "")) for name in ("starts_at", "ends_at"))
    except ValueError as error:
        raise Invalid(_("Choose both dates. Nothing was changed.")) from error
    zone = ZoneInfo(user.time_zone)
    return starts.replace(tzinfo=zone), ends.replace(tzinfo=zone)


def _number(form: QueryDict, name: str) -> int:
    text = form.get(name, "")
    if not text.isdigit():
        raise Invalid(_("Choose from the list. Nothing was changed."))
    return int(text)


PRESSES: dict[str, Press] = {
    "write_hours": _write_hours,
    "write_absence": _write_absence,
    "cancel_absence": lambda form, by, user: duties.cancel_absence(_number(form, "absence"), by=by),
    "give_delegation": _give_delegation,
    "end_delegation": lambda form, by, user: duties.end_delegation(_number(form, "delegation"), by=by),
}
