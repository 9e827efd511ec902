"""Exceptions to a cap: somebody asks, somebody else approves, and it ends by itself.

ask ──▶ waits ──approve (another person)──▶ holds ──▶ over (its date came, or a person ended it)
              ──decline (another person, or who asked)──▶ declined
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import LimitException
from approvals.rights import has_right, person
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools.models import Order, Payment

if TYPE_CHECKING:
    from cases.models import User

ASK = "approvals.add_limitexception"
APPROVE = "approvals.approve_limitexception"
# What is needed for longer is no exception: the caps change.
LONGEST = timedelta(days=90)
Scope = LimitException.Scope
COLUMN: dict[str, str] = {
    Scope.ORDER: "pk",
    Scope.CUSTOMER: "pk",
    Scope.INSTRUMENT: "instrument",
    Scope.ADDRESS: "address_key",
}


def ask(
    *,
    shop_id: int,
    scope: str,
    subject: str,
    up_to_minor: int,
    reason: str,
    expires_at: datetime,
    by: Actor,
) -> LimitException:
    """Ask to lift one cap for one subject until a moment; minor units of the shop's base currency."""
    user = person(by, ASK, shop_id)
    now, subject = sources.now(), subject.strip()
    if not reason.strip():
        raise Invalid(_("Say why: the exception ends, its reason stays."))
    if not now < expires_at <= now + LONGEST:
        raise Invalid(_("An exception ends within 90 days, and not in the past."))
    if not 0 < up_to_minor < 2**62:
        raise Invalid(_("Say up to how much the cap is lifted."))
    if scope not in Scope.values or not _known(shop_id, scope, subject):
        raise Invalid(_("There is nothing of this shop with that id."))
    shop = apps.get_model("cases", "Shop")._default_manager.get(pk=shop_id)
    with transaction.atomic():
        row = LimitException.objects.create(
            shop_id=shop_id,
            scope=scope,
            subject=subject,
            currency=shop.base_currency,
            up_to_minor=up_to_minor,
            reason=reason.strip()[:500],
            author=user,
            created_at=now,
            expires_at=expires_at,
        )
        _tell("exception.asked", row, by)
    return row


def approve(exception_id: int, *, by: Actor) -> LimitException:
    """Let it hold, as somebody who didn't ask for it."""
    with transaction.atomic():
        row = _locked(exception_id)
        user = person(by, APPROVE, row.shop_id)
        if row.author_id == user.pk:
            raise NotPermitted(_("You asked for this, so somebody else approves it."))
        if row.approved_at is not None:
            raise AlreadyDecided(_("This exception was approved already."))
        now = sources.now()
        if row.ended_at is not None or row.expires_at <= now:
            raise AlreadyDecided(_("This exception is over: ask for another."))
        row.approved_by, row.approved_at = user, now
        row.save(update_fields=["approved_by", "approved_at"])
        _tell("exception.approved", row, by)
    return row


def end(exception_id: int, *, by: Actor) -> LimitException:
    """Take it back before its date: whoever may ask or approve may, alone."""
    with transaction.atomic():
        row = _locked(exception_id)
        user = _may_end(row, by)
        if row.approved_at is None:
            raise Invalid(_("This exception never held: decline it instead."))
        _end(row, user, "exception.ended", by)
    return row


def decline(exception_id: int, *, by: Actor) -> LimitException:
    """Let it never hold: as somebody who doesn't approve it, or as who asked and no longer wants it."""
    with transaction.atomic():
        row = _locked(exception_id)
        user = _may_end(row, by)
        if row.approved_at is not None:
            raise AlreadyDecided(_("This exception was approved already: end it instead."))
        _end(row, user, "exception.declined", by)
    return row


def lifted(
    caps: Mapping[str, int], shop_id: int, currency: str, subjects: Mapping[str, Iterable[Any]]
) -> dict[str, int]:
    """The caps with what is lifted now for these subjects, by scope; no cap ever becomes lower by it."""
    found = dict(caps)
    for row in _about(shop_id, currency, subjects):
        if row.scope in found:
            found[row.scope] = max(found[row.scope], row.up_to_minor)
    return found


def hands(shop_id: int, currency: str, subjects: Mapping[str, Iterable[Any]]) -> set[int]:
    """Who asked for or approved what is lifted now for these subjects."""
    rows = _about(shop_id, currency, subjects)
    return {pk for row in rows for pk in (row.author_id, row.approved_by_id) if pk is not None}


def _about(shop_id: int, currency: str, subjects: Mapping[str, Iterable[Any]]) -> list[LimitException]:
    now = sources.now()
    rows = LimitException.objects.filter(
        shop_id=shop_id, currency=currency, approved_at__lte=now, ended_at=None, expires_at__gt=now
    )
    return [row for row in rows if row.subject in {str(one) for one in subjects.get(row.scope, ())}]


def any_held(shop_id: int) -> bool:
    """Whether anything is lifted in the shop now; one query, so that nobody looks for subjects without need."""
    now = sources.now()
    return LimitException.objects.filter(
        shop_id=shop_id, approved_at__lte=now, ended_at=None, expires_at__gt=now
    ).exists()


def state_of(row: LimitException, now: datetime) -> str:
    """ "waits", "holds", "declined" or "over"."""
    if row.ended_at is not None and row.approved_at is None:
        return "declined"
    if row.ended_at is not None or row.expires_at <= now:
        return "over"
    return "holds" if row.approved_at is not None else "waits"


def _known(shop_id: int, scope: str, subject: str) -> bool:
    orders, payments = Order.objects.filter(shop_id=shop_id), Payment.objects.filter(order__shop_id=shop_id)
    people = apps.get_model("cases", "Person")._default_manager.filter(shop_id=shop_id)
    rows: dict[str, QuerySet[Any]] = {
        Scope.ORDER: orders,
        Scope.CUSTOMER: people,
        Scope.INSTRUMENT: payments,
        Scope.ADDRESS: orders,
    }
    try:
        return bool(subject) and rows[scope].filter(**{COLUMN[scope]: subject}).exists()
    except (ValueError, ValidationError):
        return False


def _locked(exception_id: int) -> LimitException:
    rows = LimitException.objects.select_for_update(of=("self",)).select_related("shop")
    return rows.get(pk=exception_id)


def _may_end(row: LimitException, by: Actor) -> User:
    """Whoever may ask or approve may, alone. Raises NotPermitted, AlreadyDecided."""
    user = person(by, APPROVE if not _may_ask(by) else ASK, row.shop_id)
    if row.ended_at is not None or row.expires_at <= sources.now():
        raise AlreadyDecided(_("This exception is over already."))
    return user


def _end(row: LimitException, user: User, action: str, by: Actor) -> None:
    row.ended_by, row.ended_at = user, sources.now()
    row.save(update_fields=["ended_by", "ended_at"])
    _tell(action, row, by)


def _may_ask(by: Actor) -> bool:
    users = (
        apps.get_model("cases", "User")._default_manager.filter(pk=int(by.id)) if by.kind == "staff" else ()
    )
    return any(has_right(user, ASK) for user in users)


def _tell(action: str, row: LimitException, by: Actor) -> None:
    audit(
        action, by=by, stream=f"shop/{row.shop.slug}", subject=row, shop_id=row.shop_id,
        correlation_id=sources.random_id(),
        data={
            "scope": row.scope,
            "up_to_minor": row.up_to_minor,
            "currency": row.currency,
            "expires_at": row.expires_at.isoformat(),
        },
    )  # fmt: skip
