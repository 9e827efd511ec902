"""What the server itself knows about an action: read under lock, handed to the pure policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Max, Q, Sum

from approvals.entitlement import Claim, Parcel, Terms, entitled_by
from approvals.models import ApprovalRequest, KillSwitch, LimitVersion, RiskFlag, TermsVersion
from approvals.policy import Facts, Limits
from audit import sources
from tools.base import Effect, Kind, Scope, digest
from tools.catalog import cancel_order
from tools.drift import drifting, name_of
from tools.models import OPEN_STATES, Order, Payment, Shipment, ToolCall

WINDOW = timedelta(days=30)
COUNTS = (*OPEN_STATES, ToolCall.State.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the case adds: who listens, who writes, and which templates tell order data."""

    by_kind: str
    planner: str
    human_only: bool
    sender_is_contact: bool
    reachable: bool
    order_templates: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """The limits and terms that hold now, with the rows to point at."""

    limits: LimitVersion | None
    terms: TermsVersion | None

    @property
    def for_policy(self) -> Limits | None:
        """The limits' numbers, or None where the currency has none."""
        row = self.limits
        if row is None:
            return None
        return Limits(row.auto_up_to_minor, row.one_approver_up_to_minor, row.goodwill_percent)

    @property
    def digest(self) -> str:
        """SHA-256 over the numbers in force."""
        limits, terms = self.limits, self.terms
        return digest(
            {
                "limits": [limits.currency, limits.version, *_numbers(limits)] if limits else [],
                "terms": [terms.version, terms.return_days, terms.damage_days, terms.missing_days]
                if terms
                else [],
            }
        )


def _numbers(limits: LimitVersion) -> list[int]:
    return [limits.auto_up_to_minor, limits.one_approver_up_to_minor, limits.goodwill_percent]


def in_force(shop_id: int, currency: str) -> InForce:
    """The newest published limits that are effective, and the newest terms."""
    published = LimitVersion.objects.filter(
        shop_id=shop_id, currency=currency, published_at__isnull=False, effective_at__lte=sources.now()
    )
    return InForce(
        published.order_by("-version").first() if currency else None,
        TermsVersion.objects.filter(shop_id=shop_id).order_by("-version").first(),
    )


def lock_exposure(effect: Effect) -> None:
    """Make everybody who spends on the same customer or payment method wait for this transaction.

    Eight workers on eight orders of one customer then see each other's sums.
    """
    if effect.payment_id is None:
        return
    payments = _payments(effect)
    customers = {f"customer/{payment.order.person_id}" for payment in payments}
    instruments = {f"instrument/{payment.shop_id}/{payment.instrument}" for payment in payments}
    keys = sorted(customers | instruments)
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _payments(effect: Effect) -> list[Payment]:
    """All that the effect pays back from, the one that it names first among them."""
    ids = {effect.payment_id, *(tender["payment"] for tender in effect.body.get("tenders", []))}
    return list(Payment.objects.select_related("order").filter(pk__in=ids).order_by("pk"))


def gather(effect: Effect, scope: Scope, situation: Situation, without_decision: int | None = None) -> Facts:
    """The facts about an effect; `without_decision` leaves out that decision's own calls and requests."""
    orders = Order.objects.select_related("shop")
    order = orders.filter(pk=scope.order_id).first() if scope.order_id else None
    money = effect.money
    # History is only read by the agent; people may still write about it.
    by_agent = situation.by_kind == "agent"
    return Facts(
        kind=effect.kind,
        by_kind=situation.by_kind,
        amount_minor=money.amount_minor if money else 0,
        currency=money.currency if money else "",
        exposure_minor=_exposure(effect, without_decision),
        flags=tuple(sorted(flags_up(scope.case_id, order))),
        risk_level=order.risk_level if order else "unknown",
        switches=tuple(switches_on(scope.shop_id, _stops(effect, situation.planner if by_agent else ""))),
        human_only=situation.human_only,
        connected=not by_agent or order is None or order.placed_at >= order.shop.cutover_at,
        entitled_by=_entitlement(effect, scope.shop_id),
        goodwill_percent=int(effect.body.get("goodwill_percent", 0)),
        reachable=situation.reachable,
        template_tells_order=effect.template in situation.order_templates,
        sender_is_contact=situation.sender_is_contact,
        refused_before=_refused_before(effect, scope),
        drifting=_drifting(effect, scope.shop_id),
        problem=situation.problem,
    )


def _drifting(effect: Effect, shop_id: int) -> tuple[str, ...]:
    rows = drifting(shop_id, [(step.tool, step.vendor) for step in effect.steps])
    return tuple(name_of(row) for row in rows)


def flags_up(case_id: int, order: Order | None) -> set[str]:
    """Kinds of risk flags that nobody has lowered, on the case, its order or the order's customer."""
    on = Q(case_id=case_id)
    if order is not None:
        on |= Q(order_id=order.pk)
        if order.person_id:
            on |= Q(person_id=order.person_id)
    return set(RiskFlag.objects.filter(on, lowered_at__isnull=True).values_list("kind", flat=True))


def _stops(effect: Effect, planner: str) -> dict[str, set[str]]:
    steps = effect.steps
    return {
        "tool": {effect.tool, *(step.tool for step in steps)},
        "vendor": {step.vendor for step in steps},
        "planner": {planner},
    }


def switches_on(shop_id: int, keys: dict[str, set[str]]) -> list[str]:
    """Kill switches that hold now and stop any of these."""
    mine = Q(shop_id=shop_id) | Q(shop_id__isnull=True)
    which = Q(scope="everything") | Q(scope="shop", shop_id=shop_id)
    for scope, names in keys.items():
        which |= Q(scope=scope, key__in=names)
    rows = KillSwitch.objects.filter(mine & which, released_at__isnull=True)
    return sorted(f"{scope}:{key}" for scope, key in rows.values_list("scope", "key"))


def _exposure(effect: Effect, without_decision: int | None) -> dict[str, int]:
    """What order, customer and payment methods got or may still get, in the effect's currency."""
    if effect.payment_id is None or effect.money is None:
        return {}
    payments = _payments(effect)
    payment = payments[0]
    instruments = [each.instrument for each in payments if each.instrument]
    recent = Q(created_at__gte=sources.now() - WINDOW)
    scopes = {
        "order": Q(payment__order_id=payment.order_id),
        "customer": Q(payment__order__person_id=payment.order.person_id) & recent
        if payment.order.person_id
        else None,
        "instrument": Q(payment__instrument__in=instruments) & recent if instruments else None,
    }
    rows = ToolCall.objects.filter(shop_id=payment.shop_id, currency=effect.money.currency, state__in=COUNTS)
    if without_decision is not None:
        rows = rows.exclude(decision_id=without_decision)
    sums = rows.aggregate(
        **{
            name: Sum("amount_minor", filter=scope, default=0)
            for name, scope in scopes.items()
            if scope is not None
        }
    )
    found = {name: int(total) for name, total in sums.items()}
    # What staff gave back by hand is the same customer's money.
    elsewhere = Payment.objects.filter(order_id=payment.order_id).aggregate(
        n=Sum("elsewhere_minor", default=0)
    )
    found["order"] += int(elsewhere["n"])
    return found


def _entitlement(effect: Effect, shop_id: int) -> str:
    # A wish that names what isn't there has no effect, and so nothing to be entitled to.
    if effect.kind is not Kind.MONEY or not effect.body:
        return ""
    terms = TermsVersion.objects.filter(shop_id=shop_id).order_by("-version").first()
    if terms is None:
        return ""
    body: dict[str, Any] = dict(effect.body)
    line_ids = [part["line"] for part in body["lines"]]
    order = Order.objects.get(pk=body["order"])
    if effect.tool == cancel_order.NAME:
        # What the shop has not sent, it owes: no window of its terms is asked.
        return "" if cancel_order.has_left(order) else "terms.cancelled"
    claim = Claim(
        reason=body["reason"],
        parcels=_parcels(line_ids),
        whole_order=_whole(order, body["lines"]),
        shipping=bool(body["shipping_minor"]),
        final_sale=order.lines.filter(pk__in=line_ids, final_sale=True).exists(),
        returned_at=order.returns.filter(status="closed").aggregate(at=Max("requested_at"))["at"],
        goodwill_percent=body["goodwill_percent"],
    )
    return entitled_by(claim, Terms(terms.return_days, terms.damage_days, terms.missing_days), sources.now())


def _whole(order: Order, parts: list[dict[str, int]]) -> bool:
    """Whether the parts are every piece that was bought and not taken off the order."""
    claimed = {part["line"]: part["quantity"] for part in parts}
    kept = order.lines.filter(quantity__gt=F("removed_quantity"))
    return claimed == {line.pk: line.quantity - line.removed_quantity for line in kept}


def _parcels(line_ids: Iterable[int]) -> list[list[Parcel]]:
    """For each claimed line the parcels that hold it; an empty list for a line that was never sent."""
    rows = Shipment.objects.filter(contents__line_id__in=line_ids).exclude(status=Shipment.Status.CANCELLED)
    found: dict[int, list[Parcel]] = {line_id: [] for line_id in line_ids}
    for line_id, status, delivered_at in rows.values_list("contents__line_id", "status", "delivered_at"):
        if line_id in found:
            found[line_id].append(Parcel(status, delivered_at))
    return list(found.values())


def _refused_before(effect: Effect, scope: Scope) -> bool:
    return ApprovalRequest.objects.filter(
        case_id=scope.case_id, effect_hash=effect.digest, state=ApprovalRequest.State.REJECTED
    ).exists()
