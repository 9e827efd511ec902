"""What the rules planner does about a claim: which line, how many pieces, and whether it holds."""

from __future__ import annotations

from typing import Any

import pytest

from cases.planner.facts import TermsFact
from tests.planner.cast import (
    GLASSES,
    MUG,
    ON_ITS_WAY,
    TOWEL,
    ago,
    case,
    delivered,
    order,
    parcel,
    sent,
    wrote,
)
from tests.planner.proposals import plan, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The mug arrived broken.", ("issue_refund", "damaged", (11, 1))),
        ("Die Tasse kam kaputt an.", ("issue_refund", "damaged", (11, 1))),
        ("La tasse est arrivée cassée.", ("issue_refund", "damaged", (11, 1))),
        ("La taza llegó rota.", ("issue_refund", "damaged", (11, 1))),
        ("マグが割れていました。", ("issue_refund", "damaged", (11, 1))),
        ("The tea towel was not in the box.", ("issue_refund", "missing", (12, 1))),
        (
            "I ordered the mug but got somebody else's hat instead. Wrong item!",
            ("issue_refund", "wrong_item", (11, 1)),
        ),
        ("I ordered the mug and the towel, but the mug is cracked.", ("issue_refund", "damaged", (11, 1))),
        ("Both the mug and the towel arrived damaged.", ("issue_refund", "damaged", (11, 1), (12, 1))),
        ("FF-0104 is torn.", ("issue_refund", "damaged", (12, 1))),
        ("Something in my order arrived broken.", ("request_information", "which_item")),
    ],
)
def test_a_claim_is_about_the_line_that_is_named(text: str, expected: tuple[object, ...]) -> None:
    assert told(plan(case(text))) == expected


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("Two of the four glasses arrived broken.", 2),
        ("Out of 4 glasses, 3 came smashed.", 3),
        ("I ordered four glasses and one of them is cracked.", 1),
        ("Zwei der vier Gläser sind zerbrochen.", 2),
        ("Deux des quatre verres sont cassés.", 2),
        ("Dos de los cuatro vasos llegaron rotos.", 2),
        ("グラス4個のうち2個が割れていました。", 2),
        ("All of the glasses were broken.", 4),
        # Fourteen days are no glasses.
        ("I waited 2 weeks and all glasses are broken.", 4),
    ],
)
def test_a_claim_is_about_as_many_pieces_as_are_named(text: str, quantity: int) -> None:
    assert told(plan(case(text, order=order(GLASSES)))) == ("issue_refund", "damaged", (13, quantity))


def test_pieces_that_nobody_counted_are_asked_for() -> None:
    assert told(plan(case("The glasses arrived broken.", order=order(GLASSES)))) == (
        "request_information",
        "which_item",
    )


def test_the_answer_to_a_question_names_the_line_of_the_earlier_claim() -> None:
    facts = case(
        wrote("Something in my order arrived broken."),
        sent("ask_which_item"),
        wrote("The towel, sorry.", id=3),
        questions_asked=("which_item",),
    )
    assert told(plan(facts)) == ("issue_refund", "damaged", (12, 1))


def test_a_reminder_does_not_hide_the_question_that_is_answered() -> None:
    facts = case(
        wrote("Something in my order arrived broken."),
        sent("ask_which_item"),
        sent("reminder", id=3),
        wrote("The towel, sorry.", id=4),
        questions_asked=("which_item",),
    )
    assert told(plan(facts)) == ("issue_refund", "damaged", (12, 1))


def test_an_answer_that_does_not_help_goes_to_a_person() -> None:
    facts = case(
        wrote("Something in my order arrived broken."),
        sent("ask_which_item"),
        wrote("I don't remember.", id=3),
        questions_asked=("which_item",),
    )
    assert told(plan(facts)) == ("escalate", "unclear")


WANTS_PHOTO = {"terms": TermsFact(photo_above_minor=1399)}


@pytest.mark.parametrize(
    ("message", "terms", "expected"),
    [
        (wrote("The mug is broken."), WANTS_PHOTO, ("request_information", "photo")),
        (wrote("The mug is broken.", attachments=1), WANTS_PHOTO, ("issue_refund", "damaged", (11, 1))),
        (
            wrote("The mug is broken."),
            {"terms": TermsFact(photo_above_minor=1400)},
            ("issue_refund", "damaged", (11, 1)),
        ),
        # Nobody can take a photo of what isn't there.
        (wrote("The mug was not in the box."), WANTS_PHOTO, ("issue_refund", "missing", (11, 1))),
    ],
)
def test_above_an_amount_a_photo_is_asked_for(message: Any, terms: Any, expected: tuple[object, ...]) -> None:
    assert told(plan(case(message, **terms))) == expected


def test_a_photo_is_asked_for_once_and_its_answer_pays_however_late() -> None:
    asked = [wrote("The mug is broken.", at=ago(9)), sent("ask_photo")]
    late = {**WANTS_PHOTO, "order": order(shipments=(delivered(20),)), "questions_asked": ("photo",)}
    shown = case(*asked, wrote("Here it is.", id=3, attachments=1), **late)
    assert told(plan(shown)) == ("issue_refund", "damaged", (11, 1))
    not_shown = case(*asked, wrote("Why do you ask? It is broken.", id=3), **late)
    assert told(plan(not_shown)) == ("escalate", "unclear")


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        (
            "The mug is missing, please refund.",
            ON_ITS_WAY,
            ("send_message", "still_on_the_way", "wait_parcel"),
        ),
        (
            "The mug is broken.",
            order(shipments=(delivered(20),)),
            ("send_message", "outside_window", "close"),
        ),
        ("The mug is broken.", order(shipments=(delivered(13),)), ("issue_refund", "damaged", (11, 1))),
        (
            "The mug is broken.",
            order(MUG.model_copy(update={"refunded_quantity": 1}), TOWEL),
            ("send_message", "already_refunded", "close"),
        ),
        # Two were refunded before: no more than the rest can come.
        (
            "All the glasses are broken.",
            order(GLASSES.model_copy(update={"refunded_quantity": 3})),
            ("issue_refund", "damaged", (13, 1)),
        ),
    ],
)
def test_a_polite_false_claim_moves_no_money(text: str, facts: Any, expected: tuple[object, ...]) -> None:
    assert told(plan(case(text, order=facts))) == expected


def test_a_line_of_another_parcel_that_has_not_come_is_still_on_its_way() -> None:
    first = parcel("delivered", line_ids=(11,))
    second = parcel("in_transit", id=32, line_ids=(12,))
    split = order(
        MUG.model_copy(update={"parcel_ids": (31,)}),
        TOWEL.model_copy(update={"parcel_ids": (32,)}),
        shipments=(first, second),
    )
    assert told(plan(case("The towel was not in the box.", order=split)))[1] == "still_on_the_way"
    assert told(plan(case("The mug arrived broken.", order=split)))[0] == "issue_refund"
