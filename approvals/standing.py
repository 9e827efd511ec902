"""In whose right a person signs a request: their own, or one that is lent to them for some days; and what bars them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _

from approvals import lifting
from approvals.duty import RIGHT, caps_in_force
from approvals.errors import NotPermitted
from approvals.models import ApprovalRequest, Decision, Delegation, LimitVersion, Recusal, Signature
from approvals.rights import (
    has_right,
    money_rights_rest_until,
    rights_by_role,
    rights_of,
    why_never,
    why_resting,
)
from approvals.versions import in_force
from audit import sources

if TYPE_CHECKING:
    from cases.models import User

Tier = ApprovalRequest.Tier


@dataclass(frozen=True, slots=True)
class Standing:
    """In whose right a person signs: their own, where `instead_of` is None, else another's."""

    user: User
    instead_of: User | None = None


def lent(user: User, right: str, shop_id: int, at: datetime | None = None) -> list[Delegation]:
    """The delegations that lend this person this right now: both still work for the shop, the other has it by role."""
    at = at or sources.now()
    if why_never(user) or money_rights_rest_until(user) is not None:
        return []
    rows = Delegation.objects.filter(
        to=user, right=right, shop_id=shop_id, starts_at__lte=at, ends_at__gt=at, ended_at__isnull=True
    ).select_related("instead_of")
    return [
        row
        for row in rows
        if has_right(row.instead_of, right) and row.instead_of.shops.filter(pk=shop_id).exists()
    ]


def is_stand_in(user: User, rights: Collection[str]) -> bool:
    """Whether one of these rights is lent to this person now, in any shop."""
    now = sources.now()
    rows = Delegation.objects.filter(to=user, right__in=rights, starts_at__lte=now, ends_at__gt=now)
    return rows.filter(ended_at__isnull=True).exists()


def standings(user: User, right: str, shop_id: int) -> list[Standing]:
    """The ways in which this person may sign in this shop: their own right first, then what is lent to them."""
    if not user.is_active or not user.shops.filter(pk=shop_id).exists():
        return []
    own = [Standing(user)] if right in rights_of(user) else []
    return [*own, *(Standing(user, row.instead_of) for row in lent(user, right, shop_id))]


def signable(user: User) -> Q:
    """The requests of the sizes that this person signs, in each of their shops, but none that they had a hand in.

    Some of these are barred all the same: `why_not` has the last word.
    """
    sizes = Q(pk__in=[])
    for shop_id in user.shops.values_list("pk", flat=True):
        tiers = [tier for tier, right in RIGHT.items() if standings(user, right, shop_id)]
        sizes |= Q(shop=shop_id, tier__in=tiers)
    signed = Signature.objects.filter(user=user, taken_back_at__isnull=True)
    stepped_back = Recusal.objects.filter(user=user)
    return (
        sizes
        & ~Q(pk__in=signed.values("request"))
        & ~Q(case__in=stepped_back.values("case"))
        & ~Q(decision__by_kind="staff", decision__by_id=str(user.pk))
        & ~Q(decision__limits__in=LimitVersion.objects.filter(Q(author=user) | Q(published_by=user)))
    )


def signs_still(user: User, instead_of: User | None, right: str, shop_id: int) -> bool:
    """Whether a signature given in this right still has it behind it."""
    holder = instead_of or user
    if not (user.is_active and has_right(holder, right) and holder.shops.filter(pk=shop_id).exists()):
        return False
    lenders = [row.instead_of_id for row in lent(user, right, shop_id)] if instead_of else []
    return instead_of is None or instead_of.pk in lenders


def why_not(request: ApprovalRequest, user: User) -> str:
    """Why this person may not sign this request, in a sentence; empty where they may."""
    return _standing_or_why(request, user)[1]


def standing_in(request: ApprovalRequest, user: User) -> Standing:
    """In whose right this person signs this request. Raises NotPermitted with the reason where in nobody's."""
    found, why = _standing_or_why(request, user)
    if found is None:
        raise NotPermitted(why)
    return found


def _standing_or_why(request: ApprovalRequest, user: User) -> tuple[Standing | None, str]:
    right = RIGHT[Tier(request.tier)]
    found = standings(user, right, request.shop_id)
    if not found:
        return None, _why_none(user, right, request.shop_id)
    why = _signed_or_stepped_back(request, user)
    if why:
        return None, why
    own_hand = conflict(request.decision, user)
    if own_hand:
        return None, own_hand
    # Whose place is taken lends no more than they could give themselves.
    free = [each for each in found if not _lender_barred(request, each)]
    if free:
        return free[0], ""
    return None, _("You stand in for somebody who had a hand in this, so you can't approve it either.")


def _why_none(user: User, right: str, shop_id: int) -> str:
    if right in rights_of(user):
        return _("You don't work for this shop.")
    resting = why_resting(user) if right in rights_by_role(user) else ""
    return why_never(user) or resting or _("Your role doesn't sign refunds of this size.")


def _lender_barred(request: ApprovalRequest, each: Standing) -> bool:
    lender = each.instead_of
    return lender is not None and bool(conflict(request.decision, lender) or _stepped_back(request, lender))


def _signed_or_stepped_back(request: ApprovalRequest, user: User) -> str:
    if request.signatures.filter(user=user, taken_back_at__isnull=True).exists():
        return _("You have signed this already. A second person signs it too.")
    return _stepped_back(request, user)


def _stepped_back(request: ApprovalRequest, user: User) -> str:
    row = Recusal.objects.filter(case_id=request.case_id, user=user).first()
    if row is None:
        return ""
    if row.why == Recusal.Why.ASKED:
        return _("You asked the customer, which handed this to another person.")
    return _("You changed the amount in this case, so another person approves.")


def conflict(decision: Decision, user: User) -> str:
    """What this person had to do with the decision, so that they can't say yes to it; in a sentence, or empty."""
    if user.pk in _limit_writers(decision):
        return _("You wrote or published the limits in force, so you can't approve under them.")
    if decision.by_kind == "staff" and decision.by_id == str(user.pk):
        return _("You proposed this, so you can't approve it.")
    if user.pk in lifting.hands(decision):
        return _("You asked for or approved an exception that holds here, so you can't approve under it.")
    return ""


def why_not_settle(decision: Decision, user: User) -> str:
    """Why this person may not say what became of the decision's money, in a sentence; empty where they may."""
    hands = Signature.objects.filter(request__decision=decision, taken_back_at__isnull=True)
    if hands.filter(Q(user=user) | Q(instead_of=user)).exists():
        return _("You signed this, so somebody else says what became of it. Nothing was changed.")
    return conflict(decision, user)


def _limit_writers(decision: Decision) -> set[int | None]:
    """Of the limits that it was judged under, and of limits and caps in force now, where those are others."""
    limits = decision.limits
    now = in_force(LimitVersion, **limits.key()) if limits else None
    versions = [row for row in (limits, now, caps_in_force(decision.shop_id)) if row is not None]
    return {pk for row in versions for pk in (row.author_id, row.published_by_id)} - {None}
