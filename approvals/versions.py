"""Numbers as versions: one person drafts, another sees the difference and publishes, and every old one can come back.

draft ──▶ proposed ──publish (somebody else, now or from a date)──▶ scheduled ──▶ in force ──▶ replaced
                   ──withdraw (its author, or who might publish it)──▶ withdrawn
restore ─▶ a new draft with the old numbers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid, LeavesNobody, NotPermitted
from approvals.models import Version
from approvals.rights import person
from audit import sources
from audit.actors import Actor
from audit.services import record as audit

V = TypeVar("V", bound=Version)

# What holds from a day that nobody can foresee is proposed again when it is near.
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Line:
    """One number in words: what it is called, its value in the version in force, and in this one."""

    name: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Kind(Generic[V]):
    """A table of versions, and what its services need to know of it.

    `noun` begins its audit actions. `check` raises Invalid where numbers make no sense. `show` says a number in words.
    `nobody` names the tiers that would be left with nobody who can decide if a version held.
    """

    model: type[V]
    noun: str
    check: Callable[[Mapping[str, Any]], None]
    show: Callable[[V, str], str]
    nobody: Callable[[V], Sequence[str | Promise]] = lambda row: ()

    @property
    def write(self) -> str:
        """The right to draft."""
        return f"approvals.add_{self.model._meta.model_name}"

    @property
    def publish(self) -> str:
        """The right to put in force what somebody else wrote."""
        return f"approvals.publish_{self.model._meta.model_name}"


def in_force(model: type[V], at: datetime | None = None, **key: Any) -> V | None:
    """The version that holds at a moment, now if none is given; None where none does."""
    rows = model._default_manager.filter(
        **key, published_at__isnull=False, effective_at__lte=at or sources.now()
    )
    return rows.order_by("-version").first()


def draft(
    kind: Kind[V],
    *,
    numbers: Mapping[str, Any],
    reason: str,
    by: Actor,
    restores: V | None = None,
    **key: Any,
) -> V:
    """Write the next version, which holds only once somebody else publishes it. Amounts are minor units."""
    user = person(by, kind.write, key["shop_id"])
    if not reason.strip():
        raise Invalid(_("Say why it changes: the evidence belongs to the version."))
    if set(numbers) != set(kind.model.NUMBERS):
        raise Invalid(_("A version says all of its numbers, and nothing else."))
    kind.check({**key, **numbers})
    try:
        with transaction.atomic():
            newest = kind.model._default_manager.select_for_update(of=("self",)).filter(**key)
            last = newest.order_by("-version").first()
            row = kind.model._default_manager.create(
                **key,
                **numbers,
                version=last.version + 1 if last else 1,
                reason=reason.strip()[:500],
                author=user,
                created_at=sources.now(),
                restores=restores,
            )
            tell(kind, "drafted", row, by)
    except IntegrityError as error:
        raise AlreadyDecided(_("Somebody wrote a version at the same moment. Read theirs first.")) from error
    return row


def begin(kind: Kind[V], *, numbers: Mapping[str, Any], reason: str, by: Actor, **key: Any) -> V:
    """Put numbers in force at once that no person wrote: what a new shop or a made-up one begins with.

    Needs a transaction.
    """
    kind.check({**key, **numbers})
    now, last = sources.now(), kind.model._default_manager.filter(**key).order_by("-version").first()
    row = kind.model._default_manager.create(
        **key,
        **numbers,
        version=last.version + 1 if last else 1,
        reason=reason,
        created_at=now,
        published_at=now,
        effective_at=now,
    )
    tell(kind, "published", row, by)
    return row


def publish(
    kind: Kind[V],
    version_id: int,
    *,
    effective_at: datetime | None = None,
    leaves_nobody_ok: bool = False,
    by: Actor,
) -> V:
    """Put a version in force, now or from a later moment, as somebody who didn't write it.

    Raises LeavesNobody where a tier would have nobody left who can decide, unless that is meant.
    """
    with transaction.atomic():
        row = _locked(kind, version_id)
        user = person(by, kind.publish, row.shop_id)
        now = sources.now()
        _may_publish(row, user.pk)
        _in_time(effective_at, now)
        row.published_by = user
        empty = () if leaves_nobody_ok else kind.nobody(row)
        if empty:
            raise LeavesNobody(
                _("Nobody could decide any more: %(tiers)s. Publish it all the same only if that is meant.")
                % {"tiers": ", ".join(str(tier) for tier in empty)}
            )
        row.published_at = now
        row.effective_at = effective_at or now
        row.save(update_fields=["published_by", "published_at", "effective_at"])
        tell(kind, "published", row, by, leaves_nobody_ok=leaves_nobody_ok)
    return row


def withdraw(kind: Kind[V], version_id: int, *, reason: str, by: Actor) -> V:
    """Let a version never hold: as its author, or as somebody who declines to publish it. Both say why."""
    with transaction.atomic():
        row = _locked(kind, version_id)
        own = by.kind == "staff" and by.id == str(row.author_id)
        user = person(by, kind.write if own else kind.publish, row.shop_id)
        if not reason.strip():
            raise Invalid(_("Say why it shall not hold: who wrote it learns from that."))
        _may_end(row)
        row.withdrawn_by, row.withdrawn_at = user, sources.now()
        row.withdrawn_reason = reason.strip()[:500]
        row.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_reason"])
        tell(kind, "withdrawn", row, by)
    return row


def restore(kind: Kind[V], version_id: int, *, reason: str, by: Actor) -> V:
    """Propose the numbers of an old version again: a new draft, which somebody else publishes."""
    row = kind.model._default_manager.get(pk=version_id)
    if row.withdrawn_at is not None:
        raise Invalid(_("This version never held, so there is nothing to bring back: propose it anew."))
    if row.published_at is None:
        raise Invalid(_("This version never held, so there is nothing to bring back: publish it instead."))
    return draft(kind, numbers=row.numbers(), reason=reason, by=by, restores=row, **row.key())


def difference(kind: Kind[V], now: V | None, row: V) -> list[Line]:
    """Every number of a version against the one in force."""
    none = _("a person decides")
    return [
        Line(
            str(kind.model._meta.get_field(name).verbose_name),  # type: ignore[union-attr]  # a column of ours
            kind.show(now, name) if now else none,
            kind.show(row, name),
        )
        for name in kind.model.NUMBERS
    ]


def _locked(kind: Kind[V], version_id: int) -> V:
    rows: models.QuerySet[V] = kind.model._default_manager.select_for_update(of=("self",))
    row = rows.select_related("shop").get(pk=version_id)
    # Two who publish two versions of the same run do it one after the other.
    list(row.siblings().select_for_update(of=("self",)).values_list("pk", flat=True))
    return row


def _may_publish(row: Version, user_id: int) -> None:
    if row.author_id == user_id:
        raise NotPermitted(_("You wrote this version, so somebody else publishes it."))
    _may_end(row)
    newer = row.siblings().filter(version__gt=row.version, published_at__isnull=False).first()
    if newer is not None:
        raise AlreadyDecided(
            _(
                "Version %(newer)s was published already, so this one would never hold: bring its numbers back."
            )
            % {"newer": newer.version}
        )


def _may_end(row: Version) -> None:
    """Each version is published or withdrawn, once."""
    if row.published_at is not None:
        raise AlreadyDecided(_("This version was published already."))
    if row.withdrawn_at is not None:
        raise AlreadyDecided(_("This version was withdrawn already: propose its numbers anew."))


def _in_time(effective_at: datetime | None, now: datetime) -> None:
    if effective_at is None:
        return
    if effective_at < now:
        raise Invalid(_("That moment is over: nothing holds from the past on."))
    if effective_at > now + FURTHEST:
        raise Invalid(_("More than a year ahead: propose it again when the time is near."))


def tell(kind: Kind[V], what: str, row: V, by: Actor, **more: Any) -> None:
    """The audit entry of a version with all of its numbers, in its shop's stream."""
    audit(
        f"{kind.noun}.{what}", by=by, stream=f"shop/{row.shop.slug}", subject=row, shop_id=row.shop_id,
        correlation_id=sources.random_id(),
        data={
            "version": row.version,
            **{name: value for name, value in row.key().items() if name != "shop_id"},
            **row.numbers(),
            "restores": row.restores.pk if row.restores else None,
            "effective_at": row.effective_at.isoformat() if row.effective_at else None,
            **more,
        },
    )  # fmt: skip
