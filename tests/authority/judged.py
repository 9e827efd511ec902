"""A good refund, a good message, and limits with every line that there is, for tests of the policy alone."""

from __future__ import annotations

from dataclasses import replace

from approvals.bounds import UNITS, Facts, Limits

USD = Limits(auto_up_to_minor=2000, one_approver_up_to_minor=20_000, goodwill_percent=15)
JPY = Limits(auto_up_to_minor=3000, one_approver_up_to_minor=30_000, goodwill_percent=15)
# Every line that there is, in minor units: dollars have cents, yen have none, dinars have thousandths.
LINES = {"USD": (2000, 20_000, 100_000, 500_000), "JPY": (3000, 30_000, 150_000, 750_000)}
LINES["KWD"] = (6000, 60_000, 300_000, 1_500_000)
REFUND = Facts(
    kind="money",
    by_kind="agent",
    amount_minor=1000,
    currency="USD",
    risk_level="low",
    entitled_by="terms.damaged",
    sender_is_contact=True,
)
MESSAGE = Facts(kind="message", by_kind="agent", sender_is_contact=True)
FULL = Limits(
    2000,
    20_000,
    15,
    two_factor_up_to_minor=500_000,
    two_people_above_minor=100_000,
    unsure_below_percent=60,
    caps={"order": 5000, "customer": 6000, "instrument": 7000, "address": 8000, "day": 90_000},
    budget_minor=10_000,
    sizes=dict.fromkeys(UNITS, 5),
)
WHOLE = replace(
    REFUND,
    confidence_percent=60,
    base_currency="EUR",
    base_minor={"order": 5000, "customer": 6000, "instrument": 7000, "address": 8000, "day": 90_000},
    automatic_day_minor=10_000,
    sizes=dict.fromkeys(UNITS, 5),
)
