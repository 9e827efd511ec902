"""Reading Stripe's objects: one by its id, or lists with filters and cursors, newest first.

https://docs.stripe.com/api/pagination
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from sqlite3 import Connection
from urllib.parse import parse_qsl

from tools.sandbox import books, store, stripe_events, stripe_invoices, stripe_objects, things
from tools.sandbox.exchange import Doc, Request
from tools.sandbox.stripe_errors import RefusedError, missing

MOST_PER_PAGE, USUAL = 100, 10
COMPARE: dict[str, Callable[[int, int], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
# Resource, as in the path: the name of its parameter in an error, and what a list can be filtered by.
RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "refunds": ("refund", ("charge", "payment_intent")),
    "charges": ("charge", ("payment_intent", "customer")),
    "payment_intents": ("intent", ("customer",)),
    "disputes": ("dispute", ("charge", "payment_intent")),
    "events": ("id", ("type",)),
    "radar/early_fraud_warnings": ("early_fraud_warning", ("charge", "payment_intent")),
    "credit_notes": ("id", ("invoice", "customer")),
    "invoices": ("invoice", ("customer",)),
}


def _all(db: Connection, shop: str, resource: str) -> list[Doc]:
    """Every object of a kind, newest first."""
    if resource == "events":
        return stripe_events.every(db, shop)
    if resource == "refunds":
        mine = [row for row in books.refunds(db, shop) if row["charge"]]
        newest = sorted(mine, key=lambda row: (row["created_at"], row["seq"]), reverse=True)
        return [stripe_objects.refund(db, row) for row in newest]
    if resource == "disputes":
        return [
            stripe_objects.dispute(db, shop, doc) for doc in books.disputes(db, shop) if doc.get("charge")
        ]
    if resource == "credit_notes":
        notes = reversed(things.every(db, "credit_note", shop))
        return [stripe_objects.credit_note(db, shop, doc) for doc in notes]
    if resource == "invoices":
        return [stripe_invoices.invoice(db, shop, doc) for doc in things.every(db, "invoice", shop)]
    if resource == "radar/early_fraud_warnings":
        warned = sorted(
            things.every(db, "fraud_warning", shop), key=lambda doc: doc["created_at"], reverse=True
        )
        return [stripe_objects.fraud_warning(db, shop, doc) for doc in warned]
    paid = [order for order in store.orders(db, shop) if order.get("charge")]
    make = stripe_objects.charge if resource == "charges" else stripe_objects.payment_intent
    return sorted((make(db, order) for order in paid), key=lambda one: one["created"], reverse=True)


def find(db: Connection, shop: str, resource: str, name: str) -> Doc:
    """One object by its id; a 404 with resource_missing where there is none."""
    found = _one(db, shop, resource, name)
    if found is None:
        what = "notification" if resource == "events" else resource.rpartition("/")[2].removesuffix("s")
        raise missing(what, name, RESOURCES[resource][0])
    return found


def _one(db: Connection, shop: str, resource: str, name: str) -> Doc | None:
    if resource == "events":
        return stripe_events.one(db, shop, name)
    if resource == "refunds":
        row = books.refund_named(db, shop, name)
        return stripe_objects.refund(db, row) if row and row["charge"] else None
    if resource in ("charges", "payment_intents"):
        order = store.order_of_charge(db, shop, name)
        if order is None or name.startswith("ch_") != (resource == "charges"):
            return None
        make = stripe_objects.charge if resource == "charges" else stripe_objects.payment_intent
        return make(db, order)
    return next((one for one in _all(db, shop, resource) if one["id"] == name), None)


def listed(db: Connection, request: Request, resource: str) -> Doc:
    """A list object; an unknown filter or a cursor that points nowhere is refused, as Stripe does."""
    asked = parse_qsl(request.query, keep_blank_values=True)
    _check(resource, asked)
    plain = dict(asked)
    objects = _all(db, request.shop, resource)
    for name in RESOURCES[resource][1]:
        if plain.get(name):
            objects = [one for one in objects if one.get(name) == plain[name]]
    types = {value for name, value in asked if name.startswith("types[")}
    objects = [one for one in objects if not types or one["type"] in types]
    objects = [one for one in objects if _within(one, plain)]
    size = max(1, min(MOST_PER_PAGE, int(plain.get("limit") or USUAL)))
    chosen, more = _slice(objects, plain, size, resource)
    return {"object": "list", "url": f"/v1/{resource}", "has_more": more, "data": chosen}


def _check(resource: str, asked: list[tuple[str, str]]) -> None:
    known = {"limit", "starting_after", "ending_before", "created", *RESOURCES[resource][1]}
    known |= {f"created[{name}]" for name in COMPARE}
    for name, value in asked:
        many = name.startswith("expand[") or (resource == "events" and name.startswith("types["))
        if name not in known and not many and name != "delivery_success":
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        numeric = name == "limit" or name.startswith("created")
        if numeric and not value.isdecimal():
            raise RefusedError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)


def _within(one: Doc, asked: dict[str, str]) -> bool:
    created = int(one["created"])
    if "created" in asked and created != int(asked["created"]):
        return False
    bounds = [(fits, asked.get(f"created[{name}]")) for name, fits in COMPARE.items()]
    return all(fits(created, int(bound)) for fits, bound in bounds if bound is not None)


def _slice(objects: list[Doc], asked: dict[str, str], size: int, resource: str) -> tuple[list[Doc], bool]:
    names = [one["id"] for one in objects]
    if "starting_after" in asked:
        place = _place(names, asked["starting_after"], "starting_after", resource)
        rest = objects[place + 1 :]
        return rest[:size], len(rest) > size
    if "ending_before" in asked:
        place = _place(names, asked["ending_before"], "ending_before", resource)
        return objects[max(0, place - size) : place], place > size
    return objects[:size], len(objects) > size


def _place(names: list[str], wanted: str, param: str, resource: str) -> int:
    if wanted not in names:
        raise missing(resource.rpartition("/")[2].removesuffix("s"), wanted, param, status=400)
    return names.index(wanted)
