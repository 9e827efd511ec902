"""A person's id comes from the one source of random ids, so that a seeded run is the same run."""

import pytest

from audit import sources
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_same_seed_gives_people_the_same_ids() -> None:
    shop = factories.make_shop()
    with sources.seeded(7):
        person = factories.make_person(shop)
    with sources.seeded(7):
        assert person.pk == sources.random_id()
