"""Where a dispute or a return stands: each word that a snapshot may have has its place in the order of stages."""

from typing import get_args

import pytest

from tools import disputes, orders
from tools.snapshots import DisputeSnapshot, ReturnSnapshot
from tools.snapshots.base import Snapshot


@pytest.mark.parametrize(
    ("snapshot", "stages"),
    [(DisputeSnapshot, disputes.STAGES), (ReturnSnapshot, orders.RETURN_STAGES)],
    ids=["disputes", "returns"],
)
def test_each_status_has_its_place_among_the_stages(
    snapshot: type[Snapshot], stages: tuple[str, ...]
) -> None:
    words = get_args(snapshot.model_fields["status"].annotation)
    assert sorted(words) == sorted(stages)


def test_what_holds_no_money_back_is_a_stage_of_a_dispute() -> None:
    assert set(disputes.STAGES) >= disputes.HOLDS_NOTHING
