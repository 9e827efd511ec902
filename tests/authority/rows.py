"""What the tests of authority share: signers, cases that can be decided, threads that start together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs

import httpx
from django.db import connections, transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals import deciding, second_factor
from approvals.deciding import Made, Wish
from approvals.facts import Situation
from approvals.models import ApprovalRequest
from audit import actors
from audit.actors import AGENT, Actor
from cases.composing import composer
from cases.handoff import scope_of, situation
from cases.models import Case, Person, Shop, User
from tests import factories
from tools.models import Order, ToolCall

Result = TypeVar("Result")

# A refund as Stripe answers it: https://docs.stripe.com/api/refunds/object
ACCEPTED = httpx.Response(202)


def signer(shop: Shop, role: str = "approver") -> User:
    """A member of staff with one role, who works for this shop."""
    return factories.make_user(roles=[role], shops=[shop])


def acting(shop: Shop, role: str = "approver") -> Actor:
    """A new colleague with this role, as an actor."""
    return actors.staff(signer(shop, role))


def refundable_case(
    amount_minor: int = 1500, *, shop: Shop | None = None, quantity: int = 1, person: Person | None = None
) -> Case:
    """An open case about goods that arrived yesterday, which its own customer reports as damaged.

    A further case of a `person` who has one already was opened by us, so it hangs on no conversation.
    """
    shop = shop or factories.make_shop()
    known: dict[str, Any] = {"person": person} if person else {}
    order = factories.make_order(shop, [("Tent Fjord 2P", quantity, amount_minor)], shipping_minor=0, **known)
    factories.make_shipment(order)
    return factories.make_case(order=order, **({"conversation": None} if person else {}))


def order_of(case: Case) -> Order:
    assert case.order is not None
    return case.order


def seen_by_agent(case: Case) -> Situation:
    return situation(case, by=AGENT, planner="rules")


def decide_refund(case: Case, *, undo: timedelta = timedelta(0), **changes: object) -> Made:
    """What becomes of the agent's wish to refund one piece of the order's first line."""
    arguments = {**factories.refund_wish(order_of(case)), **changes}
    with transaction.atomic():
        return deciding.decide(
            Wish("issue_refund", arguments, factories.planner_config().pk),
            scope=scope_of(case),
            situation=seen_by_agent(case),
            undo=undo,
            compose=composer(case),
            by=AGENT,
        )


def reserved_call(case: Case | None = None) -> ToolCall:
    """A small refund that was decided automatically and may be sent at once."""
    return decide_refund(case or refundable_case()).calls[0]


def money_calls() -> int:
    return ToolCall.objects.filter(amount_minor__gt=0).count()


def together(*works: Callable[[], Result]) -> list[Result | Exception]:
    """Run each in a thread with a connection of its own, all let go at once; results or exceptions, in order."""
    gate = threading.Barrier(len(works))
    ended: list[Result | Exception] = [RuntimeError("did not run")] * len(works)

    def run(place: int, work: Callable[[], Result]) -> None:
        try:
            gate.wait(10)
            ended[place] = work()
        except Exception as error:
            ended[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ended


def failures(ended: Sequence[object]) -> list[str]:
    """The class names of what was raised, sorted."""
    return sorted(type(one).__name__ for one in ended if isinstance(one, Exception))


def device_of(user: User) -> TOTPDevice:
    """An authenticator whose present time step began five seconds ago, so that no code expires within a test."""
    return TOTPDevice.objects.create(user=user, name="phone", t0=int(time.time()) - 3005, tolerance=1)


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """What the authenticator shows, or showed or will show that many steps of thirty seconds from now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():0{device.digits}}"


def shown(request: ApprovalRequest, user: User, text: str) -> second_factor.Code:
    """A code as somebody enters it on a page that was made for them just now."""
    return second_factor.Code(text, second_factor.challenge(request, user).pk)


def wrong_code(device: TOTPDevice) -> str:
    return f"{(int(code_of(device)) + 1) % 10**device.digits:0{device.digits}}"


def next_step(device: TOTPDevice) -> None:
    """Half a minute passes for the authenticator and for the server."""
    device.t0 -= device.step
    TOTPDevice.objects.filter(pk=device.pk).update(t0=device.t0)


def refunded(request: httpx.Request) -> httpx.Response:
    """Stripe says yes to exactly what it was asked; any other vendor takes what it gets."""
    if "refunds" not in str(request.url):
        return ACCEPTED
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    body = {
        "object": "refund",
        "id": f"re_{form['metadata[call]'][:8]}",
        "amount": int(form["amount"]),
        "charge": form["charge"],
        "currency": "eur",
        "created": 1,
        "status": "succeeded",
    }
    return httpx.Response(200, json=body)
