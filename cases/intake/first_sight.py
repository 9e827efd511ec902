"""The commonest webhook, an order that nobody has heard of, written by one statement: a transaction of its own.

Event, customer, order, lines and audit entry, all or none of them, in one exchange with the database. Nothing is
decided here that isn't decided in `receiving`, `people`, `orders` and `tools.orders`: whatever those would do more
about (a known event or order, a customer to complete, a possible twin, a part that needs booking, somebody whom the
shop lists or who orders too often) is left to them.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, connections, transaction

from audit import embedding, sources
from audit.actors import vendor
from cases import personal
from cases.fraud.velocity import PACES
from cases.intake.orders import TWIN_WITHIN
from cases.intake.prepared import ForgottenError, Prepared, Value
from cases.intake.receiving import Delivery, Received
from cases.models import FraudEntry, InboundEvent, Person, Shop
from cases.people import digits, email_key
from tools import new_orders
from tools.errors import ContractDrift
from tools.models import Order, OrderLine
from tools.snapshots import CustomerSnapshot, OrderSnapshot

# Of a shop's row, another one after each change of it.
VERSION = f"({Shop._meta.db_table}.xmin::text || {Shop._meta.db_table}.ctid::text)"

# `fresh` has one row where nothing is known and nothing else is to be done, and everything else hangs on it. A known
# event, a customer whose address is somebody's already, and what another transaction writes between that look and the
# inserts, meet a unique constraint, and it undoes all of it.
STATEMENT = """
WITH known AS MATERIALIZED (
    SELECT id, (email <> '' OR %(email)s = '') AND (phone <> '' OR %(phone)s = '') AND (name <> '' OR %(name)s = '')
        AND (language <> '' OR %(language)s = '') AND NOT EXISTS (
            SELECT FROM {order} AS other WHERE other.person_id = {person}.id AND other.total_minor = %(total)s
                AND other.placed_at BETWEEN %(twin_from)s AND %(twin_until)s AND other.cancelled_at IS NULL
        ) AND (
            SELECT count(*) FROM {order} AS other WHERE other.person_id = {person}.id
                AND other.placed_at > COALESCE(%(now)s::timestamptz, clock_timestamp()) - %(orders_within)s::interval
        ) < %(orders_most)s::bigint AS plain
    FROM {person} WHERE shop_id = %(shop)s AND external_id = %(customer)s AND external_id <> ''
), fresh AS MATERIALIZED (
    SELECT COALESCE(%(now)s::timestamptz, clock_timestamp()) AS at,
        COALESCE((SELECT id FROM known), %(person)s::uuid) AS person_id
    WHERE EXISTS (SELECT FROM {shop} WHERE id = %(shop)s AND {version} = %(version)s)
    AND NOT EXISTS (SELECT FROM {order} WHERE shop_id = %(shop)s AND external_id = %(order_external_id)s)
    AND NOT EXISTS (SELECT FROM known WHERE NOT plain)
    AND NOT EXISTS (
        SELECT FROM {fraud} AS listed WHERE shop_id = %(shop)s AND ended_at IS NULL
            AND (expires_at IS NULL OR expires_at > COALESCE(%(now)s::timestamptz, clock_timestamp()))
            AND (key_id IS DISTINCT FROM %(list_key)s::uuid OR mac IN (%(mac_of_email)s, %(mac_of_phone)s))
    )
), person AS (
    INSERT INTO {person} (id, shop_id, external_id, name, email, phone, whatsapp_id, language, created_at)
    SELECT person_id, %(shop)s, %(customer)s, %(name)s, %(email)s, %(phone)s, '', %(language)s, at
    FROM fresh WHERE NOT EXISTS (SELECT FROM known)
), event AS (
    INSERT INTO {event} (shop_id, source, account, external_id, topic, raw, content_type, digest, state, dead_reason,
        correlation_id, received_at, duplicates, requeued)
    SELECT %(shop)s, %(source)s, %(account)s, %(external_id)s, %(topic)s, %(raw)s, %(content_type)s, %(digest)s,
        'absorbed', '', %(entry_correlation_id)s, at, 0, 0
    FROM fresh RETURNING id
), bought AS (
    INSERT INTO {order} (shop_id, person_id, {order_names})
    SELECT %(shop)s, person_id, told.* FROM fresh, jsonb_to_record(%(order)s) AS told ({order_types})
    RETURNING id
), line AS (
    INSERT INTO {line} (order_id, {line_names})
    SELECT bought.id, told.* FROM bought, jsonb_to_recordset(%(lines)s) AS told ({line_types})
){entry} FROM fresh, event, bought RETURNING subject_id
"""


def take(shop: Shop, version: str, delivery: Delivery) -> Received | None:
    """Store an order's first webhook and all that it tells; None, with nothing written, where there is more to do.

    `version` is the shop's row as it was when `shop` was read. Raises what the database raises when it is away.
    """
    seen = _glance(delivery)
    if seen is None or seen.customer is None or not new_orders.is_plain(seen):
        return None
    try:
        written = _write(_parameters(shop, version, delivery, seen, seen.customer))
    except (IntegrityError, DataError, ForgottenError):
        # Somebody else wrote it at the same moment, or the body doesn't fit, or the connection was swept clean:
        # receiving knows what to make of it.
        return None
    return Received(int(written), "accepted") if written else None


def _glance(delivery: Delivery) -> OrderSnapshot | None:
    if delivery.find is not None or delivery.glance is None:
        return None
    try:
        seen = delivery.glance()
    except (ContractDrift, ValueError, ArithmeticError):
        return None
    return seen if isinstance(seen, OrderSnapshot) else None


def _write(parameters: dict[str, Value]) -> str | None:
    database = connections[DEFAULT_DB_ALIAS]
    statement, names = _statement()
    values = [parameters[name] for name in names]
    if database.in_atomic_block:
        with transaction.atomic():
            return statement.first_value(database, values)
    return statement.first_value(database, values)


@cache
def _statement() -> tuple[Prepared, tuple[str, ...]]:
    """The statement, and which parameter each of its numbers is."""
    order_names, order_types = new_orders.columns(Order, new_orders.ORDER_SETS)
    line_names, line_types = new_orders.columns(OrderLine, new_orders.LINE_SETS)
    text = STATEMENT.format(
        version=VERSION,
        person=Person._meta.db_table,
        shop=Shop._meta.db_table,
        event=InboundEvent._meta.db_table,
        order=Order._meta.db_table,
        line=OrderLine._meta.db_table,
        fraud=FraudEntry._meta.db_table,
        order_names=order_names,
        order_types=order_types,
        line_names=line_names,
        line_types=line_types,
        entry=embedding.INSERT.format(stream="'order/' || bought.id", at="fresh.at", subject="event.id"),
    )
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    return Prepared("first_sight", re.sub(r"%\((\w+)\)s", numbered, text)), tuple(numbers)


def _parameters(
    shop: Shop, version: str, delivery: Delivery, seen: OrderSnapshot, who: CustomerSnapshot
) -> dict[str, Value]:
    identity = ((FraudEntry.Kind.EMAIL, email_key(who.email)), (FraudEntry.Kind.PHONE, digits(who.phone)))
    list_key, macs = personal.fingerprints_at_hand(shop.pk, identity)
    orders = PACES["orders"]
    told = embedding.parameters(
        "event.absorbed",
        by=vendor(delivery.source),
        subject_type=InboundEvent._meta.label_lower,
        shop_id=shop.pk,
        correlation_id=sources.random_id(),
        data=(("source", delivery.source), ("topic", delivery.topic)),
    )
    return told | {
        "shop": shop.pk,
        "version": version,
        "now": sources.held(),
        "source": delivery.source,
        "account": delivery.account,
        "external_id": delivery.external_id,
        "topic": delivery.topic,
        "raw": delivery.raw,
        "content_type": delivery.content_type[:128],
        "digest": hashlib.sha256(delivery.raw).hexdigest(),
        "person": sources.random_id(),
        "customer": who.external_id,
        "email": who.email.strip().lower(),
        "phone": digits(who.phone),
        "name": f"{who.first_name} {who.last_name}".strip(),
        "language": who.locale[:2],
        "order_external_id": seen.external_id,
        "order": new_orders.order_row(seen, shop.ships_within_days),
        "lines": new_orders.line_rows(seen),
        "total": seen.total_minor,
        "list_key": list_key,
        "mac_of_email": macs[0],
        "mac_of_phone": macs[1],
        "orders_within": f"{int(orders.within.total_seconds())} seconds",
        "orders_most": orders.most,
        "twin_from": seen.placed_at - TWIN_WITHIN,
        "twin_until": seen.placed_at + TWIN_WITHIN,
    }
