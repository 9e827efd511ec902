"""Whether Stripe itself holds a charge for us: asked before a refund is judged, where nobody has proof of it yet.

A gateway's name in the shop's order proves nothing: the charge may be another account's, or of another sum.
https://docs.stripe.com/api/charges/retrieve
"""

from __future__ import annotations

import structlog
from django.db import transaction

from audit.actors import vendor
from audit.services import record
from tools.adapters import stripe
from tools.adapters.accounts import Account
from tools.base import Scope
from tools.errors import Refused
from tools.models import Order, Payment
from tools.payments import record_charge
from tools.refunding.tenders import is_unproven, payable

log = structlog.get_logger()


def prove(order: Order, scope: Scope) -> None:
    """Reads each charge of the order that Stripe hasn't confirmed, and keeps what it says. Never in a transaction.

    What Stripe doesn't know stays without proof, so that nobody pays it back but a person. Raises ToolError where it
    can't be read now.
    """
    for payment in payable(list(order.payments.all()), order.currency):
        if is_unproven(payment):
            _prove(payment, Account.of(order.shop), scope)


def _prove(payment: Payment, account: Account, scope: Scope) -> None:
    try:
        seen = stripe.read_charge(account, payment.external_id, correlation_id=scope.correlation_id)
    except Refused as error:
        log.info(
            "charge.not_ours", payment=payment.pk, code=error.code, correlation_id=str(scope.correlation_id)
        )
        return
    with transaction.atomic():
        known = record_charge(payment.shop_id, seen)
        if known is None or is_unproven(known):
            log.info("charge.does_not_fit", payment=payment.pk, correlation_id=str(scope.correlation_id))
            return
        record(
            "payment.proven",
            by=vendor("stripe"),
            stream=f"case/{scope.case_id}",
            subject=known,
            shop_id=payment.shop_id,
            correlation_id=scope.correlation_id,
        )
