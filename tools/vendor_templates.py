"""Which of WhatsApp's templates may be sent, known before anything is: the list as it was last read.

A shop whose list was never read, or not for an hour, is not judged here: WhatsApp's own answer then says it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from audit import sources
from tools.errors import Refused
from tools.models import VendorTemplate
from tools.snapshots import TemplateSnapshot

# The one template that carries all our texts, as its only parameter.
TEMPLATE = "opsagent_message"
APPROVED = "APPROVED"
# Our own word for a template that the list no longer holds.
GONE = "GONE"
# Read every 15 minutes; what is older than four readings isn't known any more.
KNOWN_FOR = timedelta(hours=1)
NOT_APPROVED = "template_not_approved"


def keep(shop_id: int, found: Sequence[TemplateSnapshot], *, at: datetime) -> int:
    """Writes the whole list as it was read, needs a transaction; the number of templates whose state has changed."""
    rows = VendorTemplate.objects.select_for_update().filter(shop_id=shop_id)
    before = {(row.name, row.language): row.status for row in rows}
    VendorTemplate.objects.bulk_create(
        [
            VendorTemplate(
                shop_id=shop_id,
                name=one.name,
                language=one.language,
                status=one.status,
                category=one.category,
                seen_at=at,
            )
            for one in {(one.name, one.language): one for one in found}.values()
        ],
        update_conflicts=True,
        unique_fields=["shop", "name", "language"],
        update_fields=["status", "category", "seen_at"],
    )
    listed = {(one.name, one.language): one.status for one in found}
    gone = [pair for pair in before if pair not in listed]
    for name, language in gone:
        rows.filter(name=name, language=language).update(status=GONE, seen_at=at)
    now = {**dict.fromkeys(gone, GONE), **listed}
    return sum(before.get(pair) != status for pair, status in now.items())


def language_for(shop_id: int, language: str) -> str:
    """The code under which our template is approved in this language (`en` may be `en_US` there).

    The language itself where the list isn't known. Raises Refused where it is, and holds no approved one.
    """
    known = list(_known(shop_id))
    if not known:
        return language
    wanted = language.replace("-", "_")
    approved = sorted(row.language for row in known if row.name == TEMPLATE and row.status == APPROVED)
    fitting = [code for code in approved if code.partition("_")[0] == wanted.partition("_")[0]]
    if not fitting:
        raise Refused(vendor="whatsapp", operation="messages.send", code=NOT_APPROVED)
    return wanted if wanted in fitting else fitting[0]


def may_be_sent(shop_id: int, language: str) -> bool:
    """Whether our template could leave in this language, as far as is known."""
    try:
        language_for(shop_id, language)
    except Refused:
        return False
    return True


def _known(shop_id: int) -> QuerySet[VendorTemplate]:
    rows = VendorTemplate.objects.filter(shop_id=shop_id)
    newest = rows.order_by("-seen_at").values_list("seen_at", flat=True).first()
    if newest is None or newest < sources.now() - KNOWN_FOR:
        return rows.none()
    return rows
