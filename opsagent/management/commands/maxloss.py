"""`manage.py maxloss`: what an attacker who controls the planner could take, by the limits in force."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from approvals import maxloss
from cases.models import Shop
from tools.types import Money

ROW = "{:<12} {:<14} {:<9} {:>16}  {}"


class Command(BaseCommand):
    """Reads limits, caps, exceptions and rates; changes nothing and asks no vendor."""

    help = (
        "What an attacker who controls the planner could take with no human approving, by the limits in force: in an"
        " hour, in a day, and one customer in 30 days, by currency, with what bounds it. --json prints minor units; the"
        " keys per_hour, per_day and per_customer add up all shops, and 'shops' has each with its reasons."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON")
        parser.add_argument("--shop", default="", help="one shop alone, by its slug")

    def handle(self, *args: Any, **options: Any) -> None:
        shops = Shop.objects.order_by("slug")
        if options["shop"]:
            shops = shops.filter(slug=options["shop"])
            if not shops.exists():
                raise CommandError(_("There is no shop %(slug)s.") % {"slug": options["shop"]})
        found = maxloss.of_all(shops.values_list("pk", flat=True))
        if options["json"]:
            self.stdout.write(json.dumps(found, sort_keys=True))
            return
        for slug, shop in sorted(found["shops"].items()):
            self._show(slug, shop)

    def _show(self, slug: str, shop: dict[str, Any]) -> None:
        periods = {
            "per_hour": _("in an hour"),
            "per_day": _("in a day"),
            "per_customer": _("one customer"),
        }
        self.stdout.write(ROW.format(_("shop"), _("at most"), _("currency"), "", _("bounded by")))
        for period, words in periods.items():
            for currency, bound in shop[period].items():
                self.stdout.write(_row(slug, words, currency, currency, bound))
            together = shop["together"][period]
            self.stdout.write(_row(slug, words, _("all"), shop["base_currency"], together))


def _row(slug: str, period: str, shown: str, currency: str, bound: dict[str, Any]) -> str:
    minor = bound["minor"]
    amount = _("no limit") if minor is None else str(Money(minor, currency))
    return ROW.format(slug, period, shown, amount, reason(bound["bounded_by"])).rstrip()


def reason(by: str) -> str:
    """What bounds a figure, in words."""
    words = {
        "tier": _("the line up to which one customer's refunds run by themselves"),
        "budget": _("the planners' budgets of automatic money in 24 hours"),
        "exchange_rate": _("no exchange rate, so a person decides"),
        "nothing": _("no limits in force, so a person decides"),
        "cap.order": _("the cap of one order"),
        "cap.customer": _("the cap of one customer in 30 days"),
        "cap.instrument": _("the cap of one payment method in 30 days"),
        "cap.address": _("the cap of one address in 30 days"),
        "cap.day": _("the shop's cap of 24 hours"),
        "rate.messages_case_day": _("the messages that a case may have in a day"),
        "rate.messages_customer_day": _(
            "the messages that a customer may get in a day, one with each refund"
        ),
        "rate.messages_shop_hour": _("the messages that the shop may send in an hour, one with each refund"),
    }
    return words.get(by, by)
