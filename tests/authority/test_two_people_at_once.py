"""A request that two people sign, and eight clicks at once: one outcome, nobody twice, at most one payment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals import second_factor
from approvals.models import ApprovalRequest, Signature
from audit import actors
from audit.models import Entry
from cases import tasks
from cases.models import Shop, User
from cases.services import decide_approval
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import code_of, device_of, failures, money_calls, refunded, shown, signer, together
from tools import wire
from tools.models import Payment, ToolCall

pytestmark = pytest.mark.django_db(transaction=True)

LOST = {"AlreadyDecided", "NotPermitted", "CodeRefused", "EffectChanged"}


def yes(request: ApprovalRequest, user: User, proof: second_factor.Code) -> Callable[[], object]:
    by = actors.staff(user)
    return lambda: decide_approval(request.pk, approve=True, proof=proof, reason="", by=by)


def no(request: ApprovalRequest, user: User, after: int) -> Callable[[], object]:
    """A no takes no second factor, so it would always be first: it comes once so many have signed."""
    by = actors.staff(user)

    def refuse() -> object:
        ends = time.monotonic() + 5
        while Signature.objects.filter(request=request).count() < after and time.monotonic() < ends:
            time.sleep(0.005)
        return decide_approval(request.pk, approve=False, proof=None, reason="Not ours", by=by)

    return refuse


def clicks(request: ApprovalRequest, user: User, times: int) -> list[Callable[[], object]]:
    """The same person in so many windows, each with a code that is good by itself."""
    device: TOTPDevice = device_of(user)
    codes = [code_of(device, steps) for steps in (0, 1, -1, 0)[:times]]
    return [yes(request, user, shown(request, user, code)) for code in codes]


def execute(call: ToolCall, fake: Vendor) -> object:
    with wire.transport_override(fake.transport):
        return tasks.execute(call.pk)


def race(north: Shop, after: int) -> str:
    """Two people in four and three windows, and one who refuses; the request's outcome."""
    request = factories.make_approval(shop=north, large=True, people_needed=2)
    before = money_calls()
    one, two, refuser = (signer(north, "finance approver") for _ in range(3))
    ended = together(*clicks(request, one, 4), *clicks(request, two, 3), no(request, refuser, after))
    assert set(failures(ended)) <= LOST
    request.refresh_from_db()
    signed = list(Signature.objects.filter(request=request).values_list("user_id", flat=True))
    assert len(signed) == len(set(signed))
    decided = Entry.objects.filter(
        subject_type="approvals.approvalrequest",
        subject_id=str(request.pk),
        action__in=["approval.approved", "approval.rejected", "approval.voided"],
    )
    assert decided.count() == 1
    paid = request.state == "approved"
    assert (request.state, money_calls() - before) in (("approved", 1), ("rejected", 0))
    assert set(signed) == {one.pk, two.pk} if paid else len(signed) <= 1
    if paid:
        _pays_once(request)
    return str(request.state)


def _pays_once(request: ApprovalRequest) -> None:
    call = request.decision.calls.get(position=0)
    wires = [Vendor(refunded) for _ in range(8)]
    assert failures(together(*[partial(execute, call, fake) for fake in wires])) == []
    assert sum(len(fake.asked) for fake in wires) == 1
    payment = Payment.objects.get(calls=call)
    assert (payment.reserved_minor, payment.refunded_minor) == (0, call.amount_minor)


def test_two_signers_in_many_windows_and_one_who_refuses(north: Shop) -> None:
    assert {race(north, after) for after in (0, 1, 2)} == {"approved", "rejected"}


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_two_signers_in_many_windows_and_one_who_refuses_a_hundred_times(north: Shop) -> None:
    assert {race(north, number % 3) for number in range(100)} == {"approved", "rejected"}
