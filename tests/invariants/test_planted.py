"""Each invariant finds what a test plants behind the program's back, and names the row."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import ForeignKey, Model

from cases.invariants import INVARIANTS, violations
from cases.invariants.naming import MODELS, name_of
from cases.invariants.told import TOLD, UNTOLD
from cases.models import Shop, User
from tests.flow.vendors import Vendors
from tests.flow.world import World
from tests.invariants import plants_of_documents, plants_of_money, plants_of_places, plants_of_the_log
from tests.invariants.planting import Day, Plant, broken

SUBJECTS = {
    "money": plants_of_money.PLANTS,
    "places": plants_of_places.PLANTS,
    "the log": plants_of_the_log.PLANTS,
    "documents": plants_of_documents.PLANTS,
}
OURS = {"audit", "tools", "approvals", "cases"}


def test_every_invariant_is_planted_against() -> None:
    assert {name for plants in SUBJECTS.values() for name in plants} == set(INVARIANTS)


@pytest.mark.django_db
@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_planted_is_named(world: World, fake: Vendors, subject: str) -> None:
    if subject == "documents":
        Shop.objects.update(credit_notes=Shop.CreditNotes.OURS)
        world.shop.refresh_from_db()
    Day(world).play()
    assert violations() == []
    for name, plants in SUBJECTS[subject].items():
        for number, plant in enumerate(plants):
            row = planted(world, plant, name)
            assert row == "", (name, number, row)


def planted(world: World, plant: Plant, name: str) -> str:
    """What is planted and not named, as a row and as a place to look it up; empty where all is well."""
    with transaction.atomic():
        row = plant(Day(world))
        missed = "" if row in broken(name) and name_of(row)["model"] else row
        # The next one is planted into the day as it was.
        transaction.set_rollback(True)
    return missed


def staged(model: type[Model]) -> bool:
    """Whether rows of a model change in steps: by a state, or by who did something to them."""
    fields = model._meta.concrete_fields
    return any(
        field.name in ("state", "status")
        or field.name.endswith(("_state", "_status"))
        or (isinstance(field, ForeignKey) and field.related_model is User and field.name.endswith("_by"))
        for field in fields
    )


def test_every_model_with_a_state_is_told_of_or_says_why_not() -> None:
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    told = {one.label for one in TOLD}
    missing = {model._meta.label for model in models if staged(model) and model._meta.label_lower not in told}
    assert missing == set(UNTOLD)


def test_a_line_of_the_log_names_a_model_by_its_table_and_by_a_word_that_is_known() -> None:
    for told in TOLD:
        assert apps.get_model(told.label)._meta.db_table == told.table
        assert MODELS[told.word] == told.label
