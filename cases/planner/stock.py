"""Finds the goods that a stock question may be about, in the order graph and the suppliers' feeds."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date

from django.db.models import Q

from cases.planner.facts import StockFact
from cases.planner.glossary import all_words, things
from cases.triage.language import COMMON
from cases.triage.words import tokens
from tools.models import OrderLine, StockLevel, SupplierItem

MOST = 200
MOST_WORDS = 60
_RUN = re.compile(r"[\u30a1-\u30fa\u30fc\u4e00-\u9fff々]{1,8}")


def stock_facts(shop_id: int, text: str) -> tuple[StockFact, ...]:
    """Stock of at most 200 SKUs whose titles share words with the text; four queries, whatever the text."""
    which = Q()
    for word in sorted(_search_words(text))[:MOST_WORDS]:
        which |= Q(title__icontains=word)
    if not which:
        return ()
    titles: dict[str, set[str]] = defaultdict(set)
    lines = OrderLine.objects.filter(which, order__shop_id=shop_id).exclude(sku="")
    feed = SupplierItem.objects.filter(which, shop_id=shop_id)
    for rows in (lines, feed):
        for sku, title in rows.order_by("sku", "title").values_list("sku", "title").distinct()[:MOST]:
            titles[sku].add(title)
    return _with_levels(shop_id, dict(sorted(titles.items())[:MOST]))


def _search_words(text: str) -> set[str]:
    """Words of the text without their endings, the same things in other languages, and runs of signs."""
    said = {word for word in re.findall(r"[^\W\d_]{4,}", text.lower()) if not COMMON & set(tokens(word))}
    stems = {word[:-1] if len(word) > 5 else word for word in said}
    signs = {run for run in _RUN.findall(text) if len(run) > 1}
    return stems | signs | all_words(things(text))


def _with_levels(shop_id: int, titles: dict[str, set[str]]) -> tuple[StockFact, ...]:
    own = dict(StockLevel.objects.filter(shop_id=shop_id, sku__in=titles).values_list("sku", "available"))
    offered: dict[str, int] = {}
    dates: dict[str, date] = {}
    for item in SupplierItem.objects.filter(shop_id=shop_id, sku__in=titles):
        offered[item.sku] = offered.get(item.sku, 0) + max(0, item.available)
        if item.restock_on is not None:
            dates[item.sku] = min(item.restock_on, dates.get(item.sku, item.restock_on))
    return tuple(
        StockFact(
            sku=sku,
            title=" / ".join(sorted(names)),
            available=own.get(sku),
            supplier_available=offered.get(sku),
            restock_on=dates.get(sku),
        )
        for sku, names in titles.items()
    )
