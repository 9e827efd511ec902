"""All plots in one table: what casts them, whether a day must have them, and how often more of them come."""

from __future__ import annotations

from collections.abc import Callable

from opsagent.demo.plots import alarms, claims, noise, parcels, wishes
from opsagent.demo.script import Scene
from opsagent.demo.stage import Stage

Plot = Callable[[Stage, str, int], Scene]

PLOTS: dict[str, tuple[Plot, int]] = {
    "damaged_small": (claims.damaged_small, 16),
    "damaged_mid": (claims.damaged_mid, 3),
    "damaged_large": (claims.damaged_large, 1),
    "damaged_grand": (claims.damaged_grand, 1),
    "damaged_vast": (claims.damaged_vast, 1),
    "missing_small": (claims.missing_small, 11),
    "missing_mid": (claims.missing_mid, 2),
    "wrong_small": (claims.wrong_small, 7),
    "wrong_mid": (claims.wrong_mid, 1),
    "some_broken_small": (claims.some_broken_small, 6),
    "some_broken_mid": (claims.some_broken_mid, 1),
    "damaged_vague": (claims.damaged_vague, 6),
    "where_is_it": (parcels.where_is_it, 26),
    "where_is_it_grumpy": (parcels.where_is_it_grumpy, 9),
    "not_packed_yet": (parcels.not_packed_yet, 8),
    "legal_words_only": (parcels.legal_words_only, 3),
    "missing_but_on_its_way": (parcels.missing_but_on_its_way, 8),
    "said_to_be_delivered": (parcels.said_to_be_delivered, 6),
    "lost_on_the_way": (parcels.lost_on_the_way, 1),
    "someone_elses_order": (parcels.someone_elses_order, 2),
    "hidden_number": (parcels.hidden_number, 1),
    "unknown_sender": (parcels.unknown_sender, 6),
    "return_in_time": (wishes.return_in_time, 11),
    "return_by_portal": (wishes.return_by_portal, 2),
    "return_too_late": (wishes.return_too_late, 7),
    "refunded_already": (wishes.refunded_already, 7),
    "thanks": (wishes.thanks, 9),
    "back_in_stock": (wishes.back_in_stock, 12),
    "legal_size_paper": (wishes.legal_size_paper, 2),
    "beyond_the_catalogue": (wishes.beyond_the_catalogue, 1),
    "cancel_before_shipping": (wishes.cancel_before_shipping, 1),
    "other_address": (wishes.other_address, 1),
    "ordered_twice": (wishes.ordered_twice, 1),
    "suspect_order": (alarms.suspect_order, 1),
    "early_fraud_warning": (alarms.early_fraud_warning, 1),
    "disputed_payment": (alarms.disputed_payment, 1),
    "angry": (alarms.angry, 2),
    "legal_threat": (alarms.legal_threat, 2),
    "distressed": (alarms.distressed, 1),
    "stolen_card": (alarms.stolen_card, 1),
    "loses_patience": (alarms.loses_patience, 1),
}
"""Plots that come to a case: what casts one, and its weight once each has been seen."""

NOISE: dict[str, Plot] = {
    "out_of_order": noise.out_of_order,
    "same_id_other_body": noise.same_id_other_body,
    "cut_short": noise.cut_short,
    "unheard_of_topic": noise.unheard_of_topic,
    "stock_moved": noise.stock_moved,
}
"""Plots that come to no case and are seen once a day."""

FIRST: tuple[str, ...] = (
    "where_is_it",
    "damaged_small",
    "angry",
    "cut_short",
    "suspect_order",
    "back_in_stock",
    "damaged_large",
    "missing_small",
    "legal_threat",
    "damaged_mid",
    "damaged_grand",
    "damaged_vast",
    "missing_but_on_its_way",
    "return_too_late",
    "refunded_already",
    "same_id_other_body",
    "unknown_sender",
    "where_is_it_grumpy",
    "disputed_payment",
    "damaged_vague",
    "out_of_order",
    "return_in_time",
    "unheard_of_topic",
)
"""What a short day shows first; the other plots follow in the order of the tables."""
