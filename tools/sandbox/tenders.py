"""What paid for an order: one tender, or several of which each took its part.

An order names them in `tenders`, [{"gateway", "transaction_id", "amount", "charge"}]; without, its gateway took all.
"""

from dataclasses import dataclass

from tools.sandbox.exchange import Doc
from tools.sandbox.money import to_minor

# Gateways at which Shopify writes down and moves nothing; the last one has a merchant's own name.
MANUAL = ("manual", "cash_on_delivery", "bank_deposit", "money_order", "Vorkasse")


@dataclass(frozen=True)
class Tender:
    """A captured transaction; `name` is its id, `taken` minor units."""

    name: str
    gateway: str
    taken: int
    charge: Doc

    @property
    def manual(self) -> bool:
        return self.gateway in MANUAL


def tenders(order: Doc) -> list[Tender]:
    parts = order.get("tenders") or [{**order, "amount": order["total"]}]
    return [
        Tender(
            str(part["transaction_id"]),
            part["gateway"],
            to_minor(part["amount"], order["currency"]),
            part.get("charge") or {},
        )
        for part in parts
    ]


def charged(order: Doc) -> int:
    """What the order's Stripe charge took, in minor units."""
    name = (order.get("charge") or {}).get("id")
    return sum(tender.taken for tender in tenders(order) if tender.charge.get("id") == name)


def check(order: Doc) -> None:
    """Raises ValueError where the tenders don't pay the total, or are named twice."""
    found = tenders(order)
    if len({tender.name for tender in found}) < len(found) or any(tender.taken < 0 for tender in found):
        raise ValueError("each tender has a transaction of its own and took something")
    if sum(tender.taken for tender in found) != to_minor(order["total"], order["currency"]):
        raise ValueError("the tenders must take the total")


def spread(amount: int, left: dict[str, int]) -> dict[str, int]:
    """An amount in proportion to what is left of each tender: whole minor units, never more than is left.

    What rounding leaves goes to the tenders with the largest remainders, the first of equals first.
    """
    whole = sum(left.values())
    if not 0 < amount <= whole:
        return {}
    parts = {name: amount * rest // whole for name, rest in left.items()}
    by_remainder = sorted(left, key=lambda name: -(amount * left[name] % whole))
    for name in by_remainder[: amount - sum(parts.values())]:
        parts[name] += 1
    return {name: part for name, part in parts.items() if part}
