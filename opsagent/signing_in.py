"""Signing in: the password, then a second factor; who has none yet can set one up and do nothing else.

password ─▶ has a factor? ─ yes ─▶ show it ─▶ in: the session names the factor, and ends with it
                 └─ no ─▶ "My second factor" ─▶ set one up ─▶ in
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import django_otp
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from approvals.errors import CodeRefused
from approvals.models import Purpose
from approvals.second_factor import (
    TRIES,
    Code,
    PasskeyAnswer,
    Proof,
    RecoveryCode,
    challenges,
    own,
    passkeys,
    prove_sign_in,
    tries_left,
)
from audit import actors, sources
from audit.services import record
from cases.models import User
from opsagent.environment import DEMO

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

# When the session last showed a factor, in seconds since 1970.
SHOWN_AT = "factor_shown_at"
# For as long, a session may change the factors themselves.
RECENT_SECONDS = 600.0

View = Callable[..., HttpResponseBase]


def is_proven(request: HttpRequest) -> bool:
    """Whether this session has shown a factor that the person still has."""
    return getattr(request.user, "otp_device", None) is not None


def proven_lately(request: HttpRequest) -> bool:
    """Whether it did so within the last ten minutes."""
    age = sources.now().timestamp() - float(request.session.get(SHOWN_AT, 0.0))
    return is_proven(request) and 0 <= age <= RECENT_SECONDS


def may_enter(request: HttpRequest) -> bool:
    """Whether the password was right and the account is staff's; a factor may still be wanted."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


def remember(request: HttpRequest, device: Any) -> None:
    """This session has shown `device` now; told as a sign-in where it had shown none before."""
    first = not is_proven(request)
    django_otp.login(request, device)
    # Whoever knew the session before it could do anything doesn't know it any more.
    request.session.cycle_key()
    request.session[SHOWN_AT] = sources.now().timestamp()
    if first:
        _tell(person_of(request), device)


def _tell(user: User, device: Any) -> None:
    with transaction.atomic():
        record(
            "staff.signed_in",
            by=actors.staff(user),
            stream="staff",
            subject=user,
            shop_id=None,
            correlation_id=sources.random_id(),
            data={"factor": device._meta.model_name},
        )


def proof_of(form: QueryDict) -> Proof:
    """What a form with a code, or with a passkey's answer in its place, shows."""
    challenge = form.get("challenge", "")
    number = int(challenge) if challenge.isascii() and challenge.isdigit() and len(challenge) < 19 else None
    if answer := form.get("passkey", ""):
        return PasskeyAnswer(answer, number)
    return Code(form.get("code", ""), number)


def next_step(request: HttpRequest, site: OpsAdminSite) -> HttpResponse | None:
    """Where somebody goes who gave their password and no factor; None for everybody else."""
    if not may_enter(request) or site.has_permission(request):
        return None
    if own.has_factor(person_of(request)):
        return HttpResponseRedirect(_with_next("admin:show_factor", _wish(request)))
    return HttpResponseRedirect(reverse("admin:my_factor"))


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("sign-in/factor/", for_entering(show_factor(site)), name="show_factor"),
        # Whoever is half in must be able to leave.
        path("logout/", never_cache(site.logout), name="logout"),
    ]


def for_entering(view: View) -> View:
    """A page for whoever gave the right password, whether or not they have shown a factor."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_enter(request):
            return HttpResponseRedirect(_with_next("admin:login", request.get_full_path()))
        return view(request, *args, **kwargs)

    return inner


def show_factor(site: OpsAdminSite) -> View:
    """Asks for a passkey, a code or a recovery code, to sign in or once more before factors are changed."""

    def show(request: HttpRequest) -> HttpResponseBase:
        user = person_of(request)
        if not own.has_factor(user):
            return HttpResponseRedirect(reverse("admin:my_factor"))
        problem = ""
        if request.method == "POST":
            try:
                device = prove_sign_in(user, _shown(request.POST), by=actors.staff(user))
            except CodeRefused as refused:
                problem = refused.sentence
            else:
                remember(request, device)
                return HttpResponseRedirect(_wish(request) or reverse("admin:index"))
        return TemplateResponse(request, "admin/sign_in_factor.html", _asked(site, request, user, problem))

    return show


def _shown(form: QueryDict) -> Proof | RecoveryCode:
    return RecoveryCode(code) if (code := form.get("recovery", "")) else proof_of(form)


def _asked(site: OpsAdminSite, request: HttpRequest, user: User, problem: str) -> dict[str, Any]:
    has = own.factors(user)
    challenge = challenges.for_person(Purpose.SIGN_IN, user) if has.passkeys and passkeys.offered() else None
    return {
        **site.each_context(request),
        "title": _("Second factor"),
        "problem": problem,
        "next": _wish(request),
        "factors": has,
        "challenge": challenge,
        "passkey_options": passkeys.ask(user, challenge) if challenge else "",
        "tries_left": tries_left(user),
        "tries": TRIES,
        "demo_name": user.get_username() if settings.MODE == DEMO else "",
    }


def _wish(request: HttpRequest) -> str:
    """The page of ours that was wanted, or nothing."""
    wish = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    good = url_has_allowed_host_and_scheme(wish, {request.get_host()}, require_https=request.is_secure())
    return wish if good else ""


def _with_next(name: str, wish: str) -> str:
    return reverse(name) + (f"?{urlencode({REDIRECT_FIELD_NAME: wish})}" if wish else "")


def again(request: HttpRequest, back: str) -> HttpResponse:
    """To the page that asks for a factor, and from there to `back`."""
    return HttpResponseRedirect(_with_next("admin:show_factor", reverse(back)))


def person_of(request: HttpRequest) -> User:
    """The account behind a request that is signed in, whether or not by a factor."""
    return User.objects.get(username=request.user.get_username())
