"""Opening a shop: its row, conservative limits and the log's word of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import available_timezones

from babel.core import get_global
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from approvals.errors import Invalid
from approvals.limits import start_with_defaults
from audit import sources
from audit.actors import Actor
from audit.services import record
from cases.connections import Source, connect
from cases.models import LegalEntity, Shop


@dataclass(frozen=True, slots=True)
class Opening:
    """What a shop is opened with. `connected_since`: what is older is history, opens no case and sends nothing.

    `sources_since` names the sources that count from another instant than that. A legal entity of this name that is
    known already is the shop's too; `seller` says of a new one what documents need: address, country and so on.
    """

    slug: str
    env_prefix: str
    name: str
    legal_entity: str
    base_currency: str
    time_zone: str
    languages: tuple[str, ...]
    sender_name: str
    sender_email: str
    connected_since: datetime
    sources_since: Mapping[str, datetime] = field(default_factory=dict)
    seller: Mapping[str, str] = field(default_factory=dict)
    credit_notes: str = Shop.CreditNotes.NONE

    def since(self) -> dict[str, datetime]:
        """Every source, with the instant from which it counts."""
        return {source: self.sources_since.get(source, self.connected_since) for source in Source.values}


def open_shop(new: Opening, *, by: Actor) -> tuple[Shop, bool]:
    """The shop of this short name, and whether it is new; one that is there already is left as it is.

    Raises Invalid.
    """
    with transaction.atomic():
        known = Shop.objects.filter(slug=new.slug).first()
        shop = known or _create(new)
        start_with_defaults(shop.pk, shop.base_currency, by=by)
        if known is None:
            record(
                "shop.created",
                by=by,
                stream=f"shop/{shop.slug}",
                subject=shop,
                shop_id=shop.pk,
                correlation_id=sources.random_id(),
            )
            connect(shop, new.since(), by=by)
    return shop, known is None


def _create(new: Opening) -> Shop:
    if new.time_zone not in available_timezones():
        raise Invalid(_("There is no time zone %(name)s.") % {"name": new.time_zone})
    if new.base_currency not in get_global("all_currencies"):
        raise Invalid(_("There is no currency %(code)s.") % {"code": new.base_currency})
    shop = Shop(
        slug=new.slug,
        env_prefix=new.env_prefix,
        name=new.name,
        legal_entity=_seller(new),
        credit_notes=new.credit_notes,
        base_currency=new.base_currency,
        time_zone=new.time_zone,
        languages=list(new.languages),
        sender_name=new.sender_name,
        sender_email=new.sender_email,
        cutover_at=new.since()[Source.SHOPIFY],
        created_at=sources.now(),
    )
    try:
        shop.full_clean(exclude=["planner"])
    except ValidationError as error:
        raise _invalid(error) from error
    shop.save(force_insert=True)
    return shop


def _seller(new: Opening) -> LegalEntity:
    known = LegalEntity.objects.filter(name=new.legal_entity).first()
    if known is not None:
        return known
    entity = LegalEntity(name=new.legal_entity, **new.seller)
    try:
        entity.full_clean()
    except ValidationError as error:
        raise _invalid(error) from error
    entity.save(force_insert=True)
    return entity


def _invalid(error: ValidationError) -> Invalid:
    named = (f"{field}: {' '.join(words)}" for field, words in error.message_dict.items())
    return Invalid(" ".join(named))
