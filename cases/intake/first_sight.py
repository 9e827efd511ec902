"""The commonest webhook, an order that nobody has heard of, written by one statement: a transaction of its own.

Event, customer, order, lines and audit entry, all or none of them, in one exchange with the database. Nothing is
decided here that isn't decided in `receiving`, `people`, `orders` and `tools.orders`: whatever those would do more
about (a known event or order, a customer to complete, a possible twin, a part that needs booking, somebody whom the
shop lists or who orders too often) is left to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, IntegrityError, connections, transaction
from django.db.models import Model
from pydantic_core import to_json

from audit import embedding, sources
from audit.actors import vendor
from cases import personal
from cases.fraud.velocity import PACES
from cases.intake.orders import TWIN_WITHIN
from cases.intake.prepared import ForgottenError, Prepared, array_of_bytes, is_lost
from cases.intake.receiving import Delivery, Received
from cases.intake.together import Sheet, Together
from cases.models import FraudEntry, InboundEvent, Person, Shop
from cases.people import digits, email_key
from tools import new_orders
from tools.errors import ContractDrift
from tools.models import Order, OrderLine
from tools.snapshots import CustomerSnapshot, OrderSnapshot

# Of a shop's row, another one after each change of it.
VERSION = f"({Shop._meta.db_table}.xmin::text || {Shop._meta.db_table}.ctid::text)"

# What each delivery brings as JSON, and of which type; its body comes beside that.
COLUMNS = {
    "shop": "bigint",
    "version": "text",
    "source": "text",
    "account": "text",
    "external_id": "text",
    "topic": "text",
    "content_type": "text",
    "digest": "text",
    "person": "uuid",
    "customer": "text",
    "email": "text",
    "phone": "text",
    "name": "text",
    "language": "text",
    "order_external_id": "text",
    "bought": "jsonb",
    "lines": "jsonb",
    "total": "bigint",
    "placed_at": "timestamptz",
    "list_key": "uuid",
    "mac_of_email": "bytea",
    "mac_of_phone": "bytea",
    **embedding.COLUMNS,
}
# At most so many are written together: the server's memory holds all their bodies at once.
MOST = 16
# A batch waits so long for what another transaction is about to write; one that is written alone waits to the end.
PATIENCE = b"250ms"
# Of the statement's parameters, the bodies alone come in binary form.
BINARY = (1,)
# As JSON has it; a text that only looks like one goes the long way too.
NUL = b"\\u0000"

# `fresh` has a row of each delivery of which nothing is known and about which nothing else is to be done, and
# everything else hangs on it. A known event, a customer whose address is somebody's already, and what another
# transaction writes between that look and the inserts, meet a unique constraint, and it undoes all of it. OFFSET 0
# keeps each look one by a key: joined, it would be planned as a reading of the whole table.
STATEMENT = """
WITH fresh AS MATERIALIZED (
    SELECT told.*, known.id IS NULL AS is_new, COALESCE(known.id, told.person) AS person_id, {now} AS at,
        nextval('{event_ids}') AS event_id, nextval('{order_ids}') AS order_id
    FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS ({columns}), unnest($2::bytea[])) AS told ({names}, raw)
    LEFT JOIN LATERAL (
        SELECT * FROM {person} WHERE shop_id = told.shop AND external_id = told.customer AND external_id <> '' OFFSET 0
    ) AS known ON true
    WHERE (SELECT set_config('lock_timeout', COALESCE($4::text, current_setting('lock_timeout')), true)) <> ''
    AND EXISTS (SELECT FROM {shop} WHERE id = told.shop AND {version} = told.version OFFSET 0)
    AND NOT EXISTS (
        SELECT FROM {order} AS other WHERE other.shop_id = told.shop AND other.external_id = order_external_id OFFSET 0
    )
    AND (known.id IS NULL OR (
        (known.email <> '' OR told.email = '') AND (known.phone <> '' OR told.phone = '')
        AND (known.name <> '' OR told.name = '') AND (known.language <> '' OR told.language = '')
        AND NOT EXISTS (
            SELECT FROM {order} AS other WHERE other.person_id = known.id AND other.total_minor = told.total
                AND other.placed_at BETWEEN told.placed_at - interval '{twin_within}'
                AND told.placed_at + interval '{twin_within}' AND other.cancelled_at IS NULL OFFSET 0
        ) AND (
            SELECT count(*) FROM {order} AS other WHERE other.person_id = known.id
                AND other.placed_at > {now} - interval '{orders_within}'
        ) < {orders_most}
    ))
    AND NOT EXISTS (
        SELECT FROM {fraud} AS listed WHERE listed.shop_id = told.shop AND listed.ended_at IS NULL
            AND (listed.expires_at IS NULL OR listed.expires_at > {now})
            AND (listed.key_id IS DISTINCT FROM list_key OR listed.mac IN (mac_of_email, mac_of_phone)) OFFSET 0
    )
), person AS (
    INSERT INTO {person} (id, shop_id, external_id, name, email, phone, whatsapp_id, language, created_at)
    SELECT person_id, shop, customer, name, email, phone, '', language, at FROM fresh WHERE is_new
), event AS (
    INSERT INTO {event} (id, shop_id, source, account, external_id, topic, raw, content_type, digest, state,
        dead_reason, correlation_id, received_at, duplicates, requeued)
    SELECT event_id, shop, source, account, external_id, topic, raw, content_type, digest, 'absorbed', '',
        entry_correlation_id, at, 0, 0 FROM fresh
), bought AS (
    INSERT INTO {order} (id, shop_id, person_id, {order_names})
    SELECT order_id, shop, person_id, facts.* FROM fresh, jsonb_to_record(fresh.bought) AS facts ({order_types})
), line AS (
    INSERT INTO {line} (order_id, {line_names})
    SELECT order_id, facts.* FROM fresh, jsonb_to_recordset(fresh.lines) AS facts ({line_types})
){entry} FROM fresh RETURNING correlation_id, subject_id
"""


def take(shop: Shop, version: str, delivery: Delivery) -> Received | None:
    """Store an order's first webhook and all that it tells; None, with nothing written, where there is more to do.

    `version` is the shop's row as it was when `shop` was read. Raises what the database raises when it is away.
    """
    seen = _glance(delivery)
    if seen is None or seen.customer is None or not new_orders.is_plain(seen):
        return None
    try:
        written = _write(_sheet(_told(shop, version, delivery, seen, seen.customer), delivery.raw))
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


def _write(sheet: Sheet) -> str | None:
    """Together with what waits at this moment; the event's id."""
    database = connections[DEFAULT_DB_ALIAS]
    if not database.in_atomic_block:
        return _TOGETHER.write(sheet)
    with transaction.atomic():
        return _store([sheet]).get(sheet.id)


def _store(sheets: Sequence[Sheet]) -> dict[str, str]:
    """Write them by the calling thread's connection; each event's id by its sheet's."""
    held = sources.held()
    # In one order for all processes, so that two batches don't wait for each other.
    rows = sorted(sheets, key=lambda sheet: sheet.place)
    values = [
        b"[" + b",".join(row.facts for row in rows) + b"]",
        array_of_bytes([row.body for row in rows]),
        held.isoformat().encode() if held else None,
        PATIENCE if len(rows) > 1 else None,
    ]
    return dict(_statement().rows(connections[DEFAULT_DB_ALIAS], values, BINARY))


_TOGETHER = Together(_store, lambda: is_lost(connections[DEFAULT_DB_ALIAS]), MOST)


def _sheet(told: dict[str, Any], body: bytes) -> Sheet:
    """What is written of a delivery. Raises DataError for what the database can't hold."""
    facts = to_json(told)
    if NUL in facts:
        raise DataError("A text for the database has no NUL character.")
    shop, event = told["shop"], (told["source"], told["account"], told["external_id"])
    about = ("event", *event), ("order", told["order_external_id"]), ("customer", told["customer"])
    marks = {(shop, *mark) for mark in (*about, ("address", told["email"])) if mark[-1]}
    return Sheet(
        str(told["entry_correlation_id"]),
        tuple(map(str, (shop, *event))),
        frozenset(marks),
        facts,
        body,
    )


@cache
def _statement() -> Prepared:
    order_names, order_types = new_orders.columns(Order, new_orders.ORDER_SETS)
    line_names, line_types = new_orders.columns(OrderLine, new_orders.LINE_SETS)
    orders = PACES["orders"]
    text = STATEMENT.format(
        now="COALESCE($3::timestamptz, clock_timestamp())",
        columns=", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()),
        names=", ".join(COLUMNS),
        version=VERSION,
        person=Person._meta.db_table,
        shop=Shop._meta.db_table,
        event=InboundEvent._meta.db_table,
        event_ids=_ids(InboundEvent),
        order=Order._meta.db_table,
        order_ids=_ids(Order),
        line=OrderLine._meta.db_table,
        fraud=FraudEntry._meta.db_table,
        twin_within=f"{int(TWIN_WITHIN.total_seconds())} seconds",
        orders_within=f"{int(orders.within.total_seconds())} seconds",
        orders_most=orders.most,
        order_names=order_names,
        order_types=order_types,
        line_names=line_names,
        line_types=line_types,
        entry=embedding.INSERT.format(
            stream="'order/' || fresh.order_id", at="fresh.at", subject="fresh.event_id"
        ),
    )
    return Prepared("first_sight", text)


def _ids(model: type[Model]) -> str:
    """The sequence of a table's ids, as Django names it."""
    return f"{model._meta.db_table}_id_seq"


def _told(
    shop: Shop, version: str, delivery: Delivery, seen: OrderSnapshot, who: CustomerSnapshot
) -> dict[str, Any]:
    identity = ((FraudEntry.Kind.EMAIL, email_key(who.email)), (FraudEntry.Kind.PHONE, digits(who.phone)))
    list_key, macs = personal.fingerprints_at_hand(shop.pk, identity)
    entry = embedding.parameters(
        "event.absorbed",
        by=vendor(delivery.source),
        subject_type=InboundEvent._meta.label_lower,
        shop_id=shop.pk,
        correlation_id=sources.random_id(),
        data=(("source", delivery.source), ("topic", delivery.topic)),
    )
    return entry | {
        "shop": shop.pk,
        "version": version,
        "source": delivery.source,
        "account": delivery.account,
        "external_id": delivery.external_id,
        "topic": delivery.topic,
        "content_type": delivery.content_type[:128],
        "digest": hashlib.sha256(delivery.raw).hexdigest(),
        "person": sources.random_id(),
        "customer": who.external_id,
        "email": who.email.strip().lower(),
        "phone": digits(who.phone),
        "name": f"{who.first_name} {who.last_name}".strip(),
        "language": who.locale[:2],
        "order_external_id": seen.external_id,
        "bought": new_orders.order_row(seen, shop.ships_within_days),
        "lines": new_orders.line_rows(seen),
        "total": seen.total_minor,
        "list_key": list_key,
        "mac_of_email": _hex(macs[0]),
        "mac_of_phone": _hex(macs[1]),
        "placed_at": seen.placed_at,
    }


def _hex(mac: bytes | None) -> str | None:
    """As PostgreSQL reads a bytea."""
    return None if mac is None else f"\\x{mac.hex()}"
