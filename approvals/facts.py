"""What the server itself knows about an action: read under lock, handed to the pure policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Q

from approvals import exceptions, exposure, rates, versions
from approvals.caps import caps_of
from approvals.entitlement import Grant, Refusal
from approvals.entitling import Entitled, judged
from approvals.lifting import subjects
from approvals.models import CapsVersion, KillSwitch, LimitVersion, RiskFlag, TermsVersion
from approvals.policy import Facts, Limits
from approvals.refusals import refused_before
from approvals.terms_in_force import terms_of
from tools.base import Effect, Kind, Scope, digest
from tools.drift import drifting, name_of
from tools.models import Order
from tools.types import Money


@dataclass(frozen=True, slots=True)
class Situation:
    """What the case adds: who listens, who writes, and which templates tell order data.

    `confidence_percent` is the planner's own; None where nobody said. `edited` where a person wrote another amount.
    """

    by_kind: str
    planner: str
    human_only: bool
    sender_is_contact: bool
    reachable: bool
    order_templates: frozenset[str] = frozenset()
    problem: str = ""
    confidence_percent: int | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """The limits and terms that hold now, with the rows to point at."""

    limits: LimitVersion | None
    terms: TermsVersion | None
    caps: CapsVersion | None = None
    lifted: Mapping[str, int] = field(default_factory=dict)
    planner: str = ""
    moves_money: bool = True

    @property
    def for_policy(self) -> Limits | None:
        """All numbers; None where the money's currency has none. What moves no money is held to its size alone."""
        row, caps = self.limits, self.caps
        if row is None and self.moves_money:
            return None
        return Limits(
            row.auto_up_to_minor if row else 0,
            row.one_approver_up_to_minor if row else 0,
            row.goodwill_percent if row else 0,
            row.two_factor_up_to_minor if row else 0,
            row.two_people_above_minor if row else None,
            row.unsure_below_percent if row else 0,
            caps=self.lifted,
            # A kind of planner that nobody gave a budget has none.
            budget_minor=caps.budgets.get(self.planner, 0) if caps else 0,
            sizes=caps.sizes if caps else {},
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the numbers in force."""
        limits, terms, numbers = self.limits, self.terms, self.for_policy
        return digest(
            {
                "limits": [limits.currency, limits.version, numbers.as_json()] if limits and numbers else [],
                "caps": [self.caps.currency, self.caps.version] if self.caps else [],
                "terms": [terms.version, terms.numbers()] if terms else [],
            }
        )


def in_force(shop_id: int, effect: Effect, planner: str = "") -> InForce:
    """All that holds for an effect now: limits of its currency, caps with what is lifted for its order, terms.

    `planner` is the kind whose budget is looked at.
    """
    currency, caps = effect.worth.currency if effect.worth else "", caps_of(shop_id)
    return InForce(
        versions.in_force(LimitVersion, shop_id=shop_id, currency=currency) if currency else None,
        terms_of(shop_id),
        caps,
        _lifted(effect, caps),
        planner,
        effect.kind is Kind.MONEY,
    )


def _lifted(effect: Effect, caps: CapsVersion) -> dict[str, int]:
    """The caps, with the exceptions that hold for whose money the effect is."""
    amounts = caps.amounts()
    if effect.worth is None or not exceptions.any_held(caps.shop_id):
        return amounts
    return exceptions.lifted(amounts, caps.shop_id, caps.currency, subjects(effect))


def gather(effect: Effect, scope: Scope, situation: Situation, without_decision: int | None = None) -> Facts:
    """The facts about an effect; `without_decision` leaves out that decision's own calls and requests."""
    return gathered(effect, scope, situation, without_decision)[0]


def gathered(
    effect: Effect, scope: Scope, situation: Situation, without_decision: int | None = None
) -> tuple[Facts, Entitled]:
    """The facts about an effect, and what the shop's terms say of it."""
    orders = Order.objects.select_related("shop")
    order = orders.filter(pk=scope.order_id).first() if scope.order_id else None
    worth = effect.worth
    # History is only read by the agent; people may still write about it.
    by_agent = situation.by_kind == "agent"
    summed = _summed(effect, order, situation, without_decision)
    given_minor = summed.get("exposure_minor", {}).get("order", 0)
    said = judged(effect, scope, given_minor=given_minor, decision_id=without_decision)
    answer = said.answer
    granted = answer if isinstance(answer, Grant) else None
    facts = Facts(
        kind=effect.kind,
        by_kind=situation.by_kind,
        amount_minor=worth.amount_minor if worth else 0,
        currency=worth.currency if worth else "",
        flags=tuple(sorted(flags_up(scope.case_id, order))),
        risk_level=order.risk_level if order else "unknown",
        switches=tuple(switches_on(scope.shop_id, _stops(effect, situation.planner if by_agent else ""))),
        human_only=situation.human_only,
        connected=not by_agent or order is None or order.placed_at >= order.shop.cutover_at,
        entitled_by=granted.rule if granted else "",
        refusal=answer.code if isinstance(answer, Refusal) else "",
        looked_at=not (granted and granted.look),
        goodwill_percent=int(effect.body.get("goodwill_percent", 0)),
        reachable=situation.reachable,
        template_tells_order=effect.template in situation.order_templates,
        sender_is_contact=situation.sender_is_contact,
        refused_before=refused_before(effect, scope, by_agent=by_agent),
        drifting=_drifting(effect, scope.shop_id),
        sizes=_sizes(effect, scope, situation),
        confidence_percent=situation.confidence_percent,
        edited=situation.edited,
        **summed,
    )
    return facts, said


def _sizes(effect: Effect, scope: Scope, situation: Situation) -> dict[str, int]:
    if situation.by_kind == "staff":
        return {}
    return exposure.messages(scope.shop_id, scope.case_id, sum(bool(step.template) for step in effect.steps))


def _summed(effect: Effect, order: Order | None, situation: Situation, without: int | None) -> dict[str, Any]:
    """The facts about sums; with the problem, where nobody can tell whose they are."""
    try:
        found = exposure.linked(effect)
    except exposure.TooManyLinked:
        return {"problem": situation.problem or "exposure.too_many_linked"}
    if found is None or order is None:
        return {"problem": situation.problem}
    base, used = order.shop.base_currency, set[rates.Used]()
    convert = _converter(order.shop_id, used)
    sums = exposure.sums(effect, found, base, planner=situation.planner, convert=convert, without=without)
    return {
        "problem": situation.problem,
        "exposure_minor": sums.exposure_minor,
        "base_currency": base,
        "base_minor": sums.base_minor,
        "automatic_day_minor": sums.automatic_day_minor,
        "rates": sums.rates,
        "base_rates": sums.base_rates,
        "converted": tuple(sorted(map(str, used))),
    }


def _converter(shop_id: int, used: set[rates.Used]) -> exposure.Convert:
    """Rates are read where a sum needs one, and then once; every one that counted is put into `used`."""

    @cache
    def known() -> tuple[rates.Rates, timedelta]:
        return rates.table(), timedelta(hours=caps_of(shop_id).rate_max_age_hours)

    def convert(money: Money, currency: str) -> tuple[int, str]:
        if money.currency == currency:
            return money.amount_minor, rates.OK
        table, max_age = known()
        found = table.convert(money, currency, max_age=max_age)
        if found.rate is not None:
            used.add(rates.Used.of(money.currency, currency, found.rate))
        return found.money.amount_minor, found.state

    return convert


def _drifting(effect: Effect, shop_id: int) -> tuple[str, ...]:
    rows = drifting(shop_id, [(step.tool, step.vendor) for step in effect.steps])
    return tuple(name_of(row) for row in rows)


def flags_up(case_id: int, order: Order | None) -> set[str]:
    """Kinds of risk flags that nobody has lowered: on the case, its order, who wants it or the order's customer."""
    case = apps.get_model("cases", "Case")._default_manager.filter(pk=case_id)
    on = Q(case_id=case_id) | Q(person_id=case.values("person_id")[:1])
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
