"""My second factor: everybody's own page. Who has none can do this and nothing else; a change takes a fresh factor.

The recovery codes stand in one answer to one POST, and nowhere afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import segno
from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from approvals.errors import Refusal
from approvals.models import FactorReset, Purpose
from approvals.rights import has_right, why_resting
from approvals.second_factor import challenges, own, passkeys, resetting, totp
from audit import actors
from audit.actors import Actor
from cases.models import User
from opsagent.admin_site import in_own_time
from opsagent.signing_in import View, again, for_entering, is_proven, person_of, proven_lately, remember

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

# Which authenticator this session is setting up.
DRAFT = "factor_draft"

# What a change gives to read: codes to show once, or nothing.
Change = Callable[[HttpRequest, User, Actor, bool], list[str]]


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("me/second-factor/", _page(site, show(site)), name="my_factor"),
        *(
            path(f"me/second-factor/{name.replace('_', '-')}/", _page(site, _press(site, change)), name=name)
            for name, change in CHANGES.items()
        ),
    ]


def _page(site: OpsAdminSite, view: View) -> View:
    def for_owner(request: HttpRequest) -> HttpResponseBase:
        # Whoever has a factor and did not show it is somebody who knows a password.
        if not is_proven(request) and own.has_factor(person_of(request)):
            return again(request, "admin:my_factor")
        return view(request)

    return for_entering(in_own_time(for_owner))


def show(site: OpsAdminSite) -> View:
    def my_factor(request: HttpRequest) -> HttpResponseBase:
        user = person_of(request)
        has = own.factors(user)
        may_change = has.count == 0 or proven_lately(request)
        draft = own.draft_of(user, request.session.get(DRAFT)) if may_change else None
        challenge = challenges.for_person(Purpose.ADD, user) if may_change and passkeys.offered() else None
        context = {
            **site.each_context(request),
            "title": _("My second factor"),
            "factors": has,
            "may_change": may_change,
            "draft": draft,
            "qr": qr(draft.config_url) if draft else "",
            "secret": totp.secret(draft) if draft else "",
            "challenge": challenge,
            "passkey_options": passkeys.ask_new(user, challenge) if challenge else "",
            "resting": why_resting(user),
            "asked_about_me": FactorReset.objects.filter(user=user, state=FactorReset.State.ASKED).first(),
            "may_reset": has_right(user, resetting.RIGHT),
        }
        return TemplateResponse(request, "admin/ops/my_factor.html", context)

    return my_factor


def _press(site: OpsAdminSite, change: Change) -> View:
    def press(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user = person_of(request)
        if own.has_factor(user) and not proven_lately(request):
            messages.info(request, _("Show your second factor once more, then change it."))
            return again(request, "admin:my_factor")
        try:
            codes = change(request, user, actors.staff(user), is_proven(request))
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            codes = []
        return _codes(site, request, codes) if codes else HttpResponseRedirect(reverse("admin:my_factor"))

    return press


def _codes(site: OpsAdminSite, request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {**site.each_context(request), "title": _("Recovery codes"), "codes": codes}
    return TemplateResponse(request, "admin/ops/recovery_codes.html", context)


def _begin(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    # Only the session that began sees the secret: whoever else knows the password can't plant one of theirs.
    request.session[DRAFT] = own.begin_authenticator(user, proven=proven).pk
    return []


def _confirm(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    device, codes = own.confirm_authenticator(
        user, request.session.get(DRAFT), request.POST.get("code", ""), proven=proven, by=by
    )
    remember(request, device)
    messages.success(request, _("Your authenticator app is your second factor now."))
    return codes


def _add_passkey(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    number = request.POST.get("challenge", "")
    key, codes = own.add_passkey(
        user,
        request.POST.get("passkey", ""),
        challenge=int(number) if number.isascii() and number.isdigit() else None,
        name=request.POST.get("name", ""),
        proven=proven,
        by=by,
    )
    remember(request, key)
    messages.success(request, _("The passkey “%(name)s” is added.") % {"name": key.name})
    return codes


def _remove_passkey(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    number = request.POST.get("key", "")
    own.remove_passkey(user, int(number) if number.isascii() and number.isdigit() else 0, by=by)
    messages.success(request, _("The passkey is removed."))
    return []


def _remove_authenticator(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    own.remove_authenticator(user, by=by)
    messages.success(request, _("The authenticator app is removed."))
    return []


def _new_codes(request: HttpRequest, user: User, by: Actor, proven: bool) -> list[str]:
    return own.new_recovery_codes(user, by=by)


CHANGES: dict[str, Change] = {
    "begin_authenticator": _begin,
    "confirm_authenticator": _confirm,
    "add_passkey": _add_passkey,
    "remove_passkey": _remove_passkey,
    "remove_authenticator": _remove_authenticator,
    "new_recovery_codes": _new_codes,
}


def qr(text: str) -> SafeString:
    """A QR code as inline SVG without styles; the page puts it on white, which cameras need in the dark too."""
    drawing = segno.make(text, micro=False).svg_inline(
        scale=4,
        border=2,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        title=_("QR code for an authenticator app"),
    )
    return mark_safe(drawing)  # noqa: S308 - made by segno, which escapes the title
