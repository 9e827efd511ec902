"""What the world does while a case is under way: time passes, staff decide, customers and banks act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from approvals import limits, versions
from approvals.errors import Refusal
from approvals.limits import LIMITS
from approvals.models import ApprovalRequest, KillSwitch, LimitVersion
from cases import paying, services
from cases.models import PaymentTask
from opsagent.simulation.furnishing import FURNISHED_LIMITS, actor, code
from tools.models import OPEN_STATES

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play


def minutes_pass(play: Play) -> None:
    """Long enough for every lease to run out."""
    play.wait(timedelta(minutes=6))


def a_day_passes(play: Play) -> None:
    """Long enough for a key not to be trusted any more."""
    play.wait(timedelta(hours=21))


def limits_are_lowered(play: Play) -> None:
    """From now on nothing is automatic."""
    first = _as_furnished(play)
    nothing = {name: 0 for name in first.numbers() if name != "two_people_above_minor"}
    _publish(
        first,
        {**nothing, "two_people_above_minor": None, "two_factor_up_to_minor": first.two_factor_up_to_minor},
    )
    play.limits_changed = True


def limits_as_before(play: Play) -> None:
    """The limits that the shop was opened with, published anew."""
    first = _as_furnished(play)
    _publish(first, first.numbers())
    play.limits_changed = False


def _as_furnished(play: Play) -> LimitVersion:
    return LimitVersion.objects.get(shop_id=play.shop_id, currency="USD", version=FURNISHED_LIMITS)


def _publish(first: LimitVersion, numbers: Mapping[str, Any]) -> None:
    row = versions.draft(LIMITS, numbers=numbers, reason="simulated", by=actor("author"), **first.key())
    versions.publish(LIMITS, row.pk, leaves_nobody_ok=True, by=actor("publisher"))


def switch_is_engaged(play: Play) -> None:
    """Somebody stops all refunds."""
    limits.engage_switch(scope="tool", key="issue_refund", shop_id=None, reason="simulated", by=actor("ben"))


def switches_are_released(play: Play) -> None:
    """Whatever was stopped may go on."""
    for row in KillSwitch.objects.filter(released_at__isnull=True):
        limits.release_switch(row.pk, by=actor("fay"))


def refund_by_hand(play: Play) -> None:
    """Somebody gives a piece's price back in the vendor's own pages."""
    play.world.refund_by_hand()


def refund_by_hand_told(play: Play) -> None:
    """The same, and its webhooks are here already."""
    play.world.refund_by_hand()
    play.deliver_all()


def dispute_is_opened(play: Play) -> None:
    """The cardholder's bank takes part of the money."""
    play.world.dispute()


def call_is_undone(play: Play) -> None:
    """Staff press undo on whatever is under way."""
    for pk in play.calls().filter(state__in=OPEN_STATES, amount_minor__gt=0).values_list("pk", flat=True):
        _try(lambda pk=pk: services.undo(pk, by=actor("agent")))


def customer_writes_again(play: Play) -> None:
    """One more mail in the same conversation."""
    play.world.write_again()


def another_signs(play: Play) -> None:
    """A colleague is quicker."""
    for request in _waiting(play):
        _try(lambda request=request: sign(request, "yuki"))


def another_rejects(play: Play) -> None:
    """A colleague says no first."""
    for request in _waiting(play):
        name = "fay" if request.tier == ApprovalRequest.Tier.TWO_FACTOR else "yuki"
        _try(
            lambda request=request, name=name: services.decide_approval(
                request.pk, approve=False, proof=None, reason="not so", by=actor(name)
            )
        )


def wrong_one_signs(play: Play) -> None:
    """A colleague without the right tries."""
    for request in _waiting(play):
        _try(
            lambda request=request: services.decide_approval(
                request.pk, approve=True, proof=None, reason="", by=actor("agent")
            )
        )


def sign(request: ApprovalRequest, name: str) -> None:
    """Approve, with a one-time code where the sum asks for one."""
    large = request.tier == ApprovalRequest.Tier.TWO_FACTOR
    name = "fay" if large else name
    services.decide_approval(
        request.pk, approve=True, proof=code(request, name) if large else None, reason="", by=actor(name)
    )


def tasks(play: Play) -> QuerySet[PaymentTask]:
    """The payment tasks of this play's cases."""
    return PaymentTask.objects.filter(case__in=play.cases()).order_by("pk")


def tick(play: Play, task: PaymentTask, name: str) -> None:
    """A colleague says that they have paid, with a reference of their own. Raises Refusal."""
    paying.pay(task.pk, paid_on=play.clock.at.date(), reference=f"paid by {name}", by=actor(name))


def another_ticks(play: Play) -> None:
    """A colleague has paid as well, and says so."""
    for task in tasks(play):
        _try(lambda task=task: tick(play, task, "yuki"))


def another_works(play: Play) -> None:
    """Another worker takes the next task."""
    play.queue.step()


def _waiting(play: Play) -> list[ApprovalRequest]:
    pending = ApprovalRequest.objects.filter(state=ApprovalRequest.State.PENDING)
    return list(pending.filter(case__order__external_id__in=play.world.order_ids).order_by("pk"))


def _try(act: object) -> None:
    """Staff read why not, and leave it at that."""
    try:
        act()  # type: ignore[operator]
    except Refusal:
        return


def try_sign(request: ApprovalRequest, name: str) -> None:
    """Approve, unless something speaks against it by now."""
    _try(lambda: sign(request, name))
