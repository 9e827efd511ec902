"""The world of the flow's tests: a shop named north, its vendors' signed webhooks, a clock that stands still."""

from __future__ import annotations

import pytest

from tests.flow.conftest import _accounts, clock, fake, shop
from tests.flow.conftest import world as flow_world
from tests.flow.turns import scripted_shop
from tests.flow.world import World

__all__ = ["_accounts", "clock", "fake", "flow_world", "shop"]


@pytest.fixture
def world(flow_world: World) -> World:
    scripted_shop(flow_world)
    return flow_world
